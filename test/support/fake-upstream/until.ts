// Waits for something that another process or socket will make true.

const POLL_MS = 2

/** Resolves as soon as `holds()` is true; rejects, naming `what`, after `waitMs`. */
export async function until(what: string, holds: () => boolean, waitMs = 5_000): Promise<void> {
  const deadline = performance.now() + waitMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${waitMs} ms in vain for: ${what}`)
    await new Promise(resolve => setTimeout(resolve, POLL_MS))
  }
}
