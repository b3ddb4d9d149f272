// A table of which event may follow which. Each dialect has one and uses it both ways: its reader asks whether what
// came in is allowed, its writer whether what goes out is.

export type GrammarTable<State extends string, Symbol extends string> = Readonly<
  Record<State, Partial<Readonly<Record<Symbol, State>>>>
>

export class Grammar<State extends string, Symbol extends string> {
  private readonly table: GrammarTable<State, Symbol>
  state: State

  constructor(table: GrammarTable<State, Symbol>, first: State) {
    this.table = table
    this.state = first
  }

  /** Takes one step; false, staying where it is, when the table has no such step. */
  take(symbol: Symbol): boolean {
    const next = this.table[this.state][symbol]
    if (next === undefined) return false
    this.state = next
    return true
  }
}
