/**
 * What a shell needs to complete tenantctl: a function that asks tenantctl itself, so that the script never grows old.
 * It answers a line for each word, `word<TAB>what it is`, or `:files`.
 */
export const completionScripts = {
  bash: `# bash completion of tenantctl. In ~/.bashrc: source <(tenantctl completion bash)
_tenantctl() {
  local word _about
  COMPREPLY=()
  while IFS=$'\\t' read -r word _about; do
    if [[ $word == :files ]]; then
      compopt -o default
      return
    fi
    COMPREPLY+=("$word")
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _tenantctl tenantctl
`,
  zsh: `#compdef tenantctl
# zsh completion of tenantctl. In ~/.zshrc, after compinit: source <(tenantctl completion zsh)
_tenantctl() {
  local -a candidates
  local line
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    [[ -n $line ]] && candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe 'tenantctl' candidates
}
if [[ \${funcstack[1]} == _tenantctl ]]; then
  _tenantctl "$@"
else
  compdef _tenantctl tenantctl
fi
`,
  fish: `# fish completion of tenantctl. Once: tenantctl completion fish > ~/.config/fish/completions/tenantctl.fish
function __tenantctl_candidates
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($before[1] __complete -- $before[2..-1] "$current" 2>/dev/null)
    if test "$answer[1]" = ":files"
        __fish_complete_path "$current"
        return
    end
    string join \\n -- $answer
end
complete --command tenantctl --no-files --arguments '(__tenantctl_candidates)'
`,
} as const;

export type Shell = keyof typeof completionScripts;
export const shells = Object.keys(completionScripts) as readonly Shell[];
