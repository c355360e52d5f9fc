/**
 * The completion scripts. Each hands the words up to the cursor to `wreckit __complete` and shows its lines,
 * `value TAB description`; the line `:files` asks for the shell's own completion of paths.
 */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const BASH = `# bash completion for wreckit:  source <(wreckit completion bash)
_wreckit() {
  local line value words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = :files ]; then
      compopt -o default 2>/dev/null
      return
    fi
    value=\${line%%$'\\t'*}
    # Bash splits words at "=": what stands before it is already there.
    case "\${COMP_WORDS[COMP_CWORD-1]}\${COMP_WORDS[COMP_CWORD]}" in
      *=*) value=\${value#*=} ;;
    esac
    COMPREPLY+=("$value")
  done < <(wreckit __complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _wreckit wreckit
`;

const ZSH = `#compdef wreckit
# zsh completion for wreckit:  source <(wreckit completion zsh)
_wreckit() {
  local line value description
  local -a lines candidates
  lines=("\${(@f)$(wreckit __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    value=\${line%%$'\\t'*}
    description=\${line#*$'\\t'}
    [[ -n $value ]] && candidates+=("\${value//:/\\\\:}:$description")
  done
  (( $#candidates )) && _describe wreckit candidates
}
if [[ $funcstack[1] == _wreckit ]]; then
  _wreckit "$@"
else
  compdef _wreckit wreckit
fi
`;

const FISH = `# fish completion for wreckit:  wreckit completion fish | source
function __wreckit_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (wreckit __complete -- $before[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = :files
        __fish_complete_path "$current"
    else
        printf '%s\\n' $lines
    end
end
complete -c wreckit -f -a '(__wreckit_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
