# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Completion of vtdpi in bash. Words are what the tool says in its own --help.

# _vtdpi_names TOOL [COMMAND]: the commands, or the kinds of a command.
_vtdpi_names() {
    "$@" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  *[^ ].*/\1/p'
}

# _vtdpi_options TOOL COMMAND...: options, those with a value with = behind them.
_vtdpi_options() {
    "$@" --help 2>/dev/null |
        sed -n 's/^  .\{0,4\}  *\(--[a-z][a-z-]*\(=\{0,1\}\)\).*/\1/p' | sort -u
}

# _vtdpi_values OPTION: what may stand behind an option; 1: it has no such words.
_vtdpi_values() {
    case $1 in
    --color) echo auto always never ;;
    --dest-bits) echo 8 15 32 ;;
    --dlm) echo fixed lowest smi nmi init extint ;;
    *) return 1 ;;
    esac
}

# _vtdpi_explain TOOL CURRENT: names without what bash takes apart.
_vtdpi_explain() {
    local name

    while IFS= read -r name; do
        case $name in
        *[\[:\(]*) ;;
        "$2"*) COMPREPLY+=("$(printf '%q' "$name")") ;;
        esac
    done < <("$1" explain --list 2>/dev/null)
}

_vtdpi() {
    local tool=$1 current=$2 previous=$3 values
    local -a command

    COMPREPLY=()
    if [ "$COMP_CWORD" -le 1 ]; then
        mapfile -t COMPREPLY < <(
            compgen -W "$(_vtdpi_names "$tool") --help --version" -- "$current"
        )
        return
    fi
    # bash makes three words of --color=always.
    if [ "$current" = = ]; then
        current=
    elif [ "$previous" = = ]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    command=("$tool" "${COMP_WORDS[1]}")
    if [ "${COMP_WORDS[1]}" = encode ]; then
        if [ "$COMP_CWORD" -eq 2 ]; then
            mapfile -t COMPREPLY < <(
                compgen -W "$(_vtdpi_names "${command[@]}") --help" \
                    -- "$current"
            )
            return
        fi
        command+=("${COMP_WORDS[2]}")
    fi
    case $current in
    -*)
        mapfile -t COMPREPLY < <(
            compgen -W "$(_vtdpi_options "${command[@]}")" -- "$current"
        )
        case ${COMPREPLY[0]-} in
        *=) compopt -o nospace 2>/dev/null ;;
        esac
        return
        ;;
    esac
    if values=$(_vtdpi_values "$previous"); then
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    elif [ "${COMP_WORDS[1]}" = explain ]; then
        _vtdpi_explain "$tool" "$current"
    elif "${command[@]}" --help 2>/dev/null | grep -q 'FILE\|DIR'; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}

complete -F _vtdpi vtdpi
