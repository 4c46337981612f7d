/** Shell scripts that ask `PROGRAM __complete WORD... PREFIX` for candidates, one per line: `candidate<TAB>description`; `:file` asks for paths. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, program: string, descriptions: boolean): string {
  return WRITERS[shell](program, `_complete_${program.replaceAll(/\W/g, '_')}`, descriptions);
}

const WRITERS: Readonly<Record<Shell, (program: string, name: string, descriptions: boolean) => string>> = { bash, zsh, fish };

/** Bash splits words at `=` and `:` (COMP_WORDBREAKS): the line is split at blanks again, and the part before the last break is cut off. */
function bash(program: string, name: string): string {
  return `# bash completion for ${program}
${name}() {
  local line=\${COMP_LINE:0:COMP_POINT} cur words candidate prefix
  read -ra words <<< "$line"
  [[ $line == *[[:blank:]] ]] && words+=('')
  cur=\${words[-1]}
  prefix=\${cur%"\${cur##*[=:]}"}
  COMPREPLY=()
  while IFS= read -r candidate; do
    candidate=\${candidate%%$'\\t'*}
    if [[ $candidate == :file ]]; then
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "\${cur##*=}")
      return
    fi
    COMPREPLY+=("\${candidate#"$prefix"}")
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F ${name} ${program}
`;
}

/** Sourced, it registers the function; as `_PROGRAM` in a directory of `fpath` it is itself called for the first completion. */
function zsh(program: string, name: string, descriptions: boolean): string {
  return `#compdef ${program}
${name}() {
  local -a candidates
  local line word
  while IFS= read -r line; do
    if [[ $line == :file ]]; then
      compset -P '--*='
      _files
      return
    fi
    word=\${line%%$'\\t'*}
    candidates+=("\${word//:/\\\\:}${descriptions ? `\${\${line#$word}/#$'\\t'/:}` : ''}")
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe '${program}' candidates
}
compdef ${name} ${program}
[[ \${funcstack[1]} == _${program} ]] && ${name}
`;
}

function fish(program: string, name: string, descriptions: boolean): string {
  const print = descriptions ? 'printf "%s\\n" $lines' : String.raw`string replace -r '\t.*' '' -- $lines`;
  return `# fish completion for ${program}
function ${name}
    set -l words (commandline -opc)
    set -l lines ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
    if test "$lines[1]" = ":file"
        set -l flag (string match -r '^--[^=]*=' -- (commandline -ct))
        for path in (__fish_complete_path (string replace -r '^--[^=]*=' '' -- (commandline -ct)))
            printf "%s\\n" "$flag$path"
        end
    else
        ${print}
    end
end
complete -c ${program} -f -a '(${name})'
`;
}
