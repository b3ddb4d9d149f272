// What changed between two texts, line by line, as `diff -u` shows it. Pure. The trick: what both ends share is cut off
// first, so that the table of the rest stays small; a rest too large for it is shown as replaced.

interface Step {
  readonly mark: ' ' | '-' | '+'
  readonly line: string
}

/** Cells of the table: two different texts of two thousand lines each. */
const CELLS_MAX = 4_000_000
/** Lines shown around a change. */
const CONTEXT_LINES = 3

/** Lines of a unified diff without file names; empty when the texts are equal. */
export function diffLines(before: string, after: string): string[] {
  const steps = stepsOf(linesOf(before), linesOf(after))
  const shown = new Set<number>()
  steps.forEach(({ mark }, at) => {
    if (mark === ' ') return
    for (let near = at - CONTEXT_LINES; near <= at + CONTEXT_LINES; near++) shown.add(near)
  })
  const lines: string[] = []
  let old = 1
  let young = 1
  steps.forEach(({ mark, line }, at) => {
    if (shown.has(at)) {
      if (!shown.has(at - 1)) lines.push(`@@ -${old} +${young} @@`)
      lines.push(mark + line)
    }
    if (mark !== '+') old += 1
    if (mark !== '-') young += 1
  })
  return lines
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n')
}

function stepsOf(a: readonly string[], b: readonly string[]): Step[] {
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1
  const same = (line: string): Step => ({ mark: ' ', line })
  return [
    ...a.slice(0, head).map(same),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(same),
  ]
}

function middle(a: readonly string[], b: readonly string[]): Step[] {
  const width = b.length + 1
  if ((a.length + 1) * width > CELLS_MAX) {
    return [
      ...a.map(line => ({ mark: '-', line }) as const),
      ...b.map(line => ({ mark: '+', line }) as const),
    ]
  }
  // Length of the longest common rest of each two ends.
  const common = new Uint32Array((a.length + 1) * width)
  for (let row = a.length - 1; row >= 0; row--) {
    for (let column = b.length - 1; column >= 0; column--) {
      common[row * width + column] =
        a[row] === b[column]
          ? common[(row + 1) * width + column + 1]! + 1
          : Math.max(common[(row + 1) * width + column]!, common[row * width + column + 1]!)
    }
  }
  const steps: Step[] = []
  let row = 0
  let column = 0
  while (row < a.length || column < b.length) {
    if (row < a.length && column < b.length && a[row] === b[column]) {
      steps.push({ mark: ' ', line: a[row]! })
      row += 1
      column += 1
    } else if (
      column >= b.length ||
      (row < a.length && common[(row + 1) * width + column]! >= common[row * width + column + 1]!)
    ) {
      steps.push({ mark: '-', line: a[row++]! })
    } else {
      steps.push({ mark: '+', line: b[column++]! })
    }
  }
  return steps
}
