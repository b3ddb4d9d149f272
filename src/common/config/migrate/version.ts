// Versions of the language: how they compare, and which is today's.

export const CURRENT_VERSION = 'v0.4.0'

/** Strips a leading `v`, cuts at `-`, pads to three numbers; what is not a number counts 0. */
export function versionParts(version: string): readonly [number, number, number] {
  const parts = version.replace(/^[vV]/, '').split('-')[0]!.split('.')
  const part = (at: number) => (/^\d{1,6}$/.test(parts[at] ?? '') ? Number(parts[at]) : 0)
  return [part(0), part(1), part(2)]
}

/** Older than today's form. */
export function isOld(version: unknown): boolean {
  if (typeof version !== 'string') return false
  const [major, minor] = versionParts(version)
  return major === 0 && minor < 4
}
