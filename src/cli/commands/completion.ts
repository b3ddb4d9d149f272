// `sluice completion bash|zsh|fish`: a script for the shell, written from the commands themselves.

import { Argument, type Command } from 'commander'
import type { Shell } from '../terminal.ts'

interface Words {
  readonly name: string
  readonly description: string
  readonly options: readonly { readonly flag: string; readonly description: string }[]
  /** Names of commands below it, or choices of its first argument. */
  readonly next: readonly string[]
}

export function addCompletion(program: Command, shell: Shell): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell to write for').choices(['bash', 'zsh', 'fish']))
    .description('print a script that completes commands and options')
    .addHelpText(
      'after',
      '\nExample:\n  $ source <(sluice completion bash)\n  $ sluice completion fish > ~/.config/fish/completions/sluice.fish',
    )
    .action((kind: 'bash' | 'zsh' | 'fish') => {
      const commands = wordsOf(program)
      const text = kind === 'bash' ? bash(commands) : kind === 'zsh' ? zsh(commands) : fish(commands)
      shell.terminal.line(text)
    })
}

function wordsOf(program: Command): Words[] {
  const help = program.createHelp()
  return help.visibleCommands(program).map(command => ({
    name: command.name(),
    description: command.description(),
    options: help
      .visibleOptions(command)
      .map(option => ({ flag: option.long ?? option.short ?? '', description: option.description })),
    next: [...command.commands.map(one => one.name()), ...(command.registeredArguments[0]?.argChoices ?? [])],
  }))
}

function bash(commands: readonly Words[]): string {
  const cases = commands.map(
    ({ name, options, next }) =>
      `    ${name}) words="${[...next, ...options.map(({ flag }) => flag)].join(' ')}" ;;`,
  )
  return `# bash completion of sluice: source <(sluice completion bash)
_sluice() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
}
complete -o filenames -F _sluice sluice`
}

function zsh(commands: readonly Words[]): string {
  const names = commands.map(({ name, description }) => `    '${name}:${quoted(description)}'`)
  const cases = commands.map(({ name, options, next }) => {
    const flags = options.map(({ flag, description }) => `'${flag}[${quoted(description)}]'`)
    const first = next.length === 0 ? `'*:file:_files'` : `'1:word:(${next.join(' ')})' '*:file:_files'`
    return `    ${name}) _arguments ${[...flags, first].join(' ')} ;;`
  })
  return `#compdef sluice
# zsh completion of sluice: source <(sluice completion zsh)
_sluice() {
  local -a names
  names=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command names
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join('\n')}
  esac
}
compdef _sluice sluice`
}

function fish(commands: readonly Words[]): string {
  const lines = commands.flatMap(({ name, description, options, next }) => [
    `complete -c sluice -n __fish_use_subcommand -a ${name} -d '${quoted(description)}'`,
    ...next.map(word => `complete -c sluice -n '__fish_seen_subcommand_from ${name}' -a ${word}`),
    ...options
      .filter(({ flag }) => flag.startsWith('--'))
      .map(
        ({ flag, description: what }) =>
          `complete -c sluice -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)} -d '${quoted(what)}'`,
      ),
  ])
  return ['# fish completion of sluice', ...lines].join('\n')
}

/** Fits between single quotes, and between the brackets and colons of zsh. */
function quoted(text: string): string {
  return text
    .replace(/['[\]:\\]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}
