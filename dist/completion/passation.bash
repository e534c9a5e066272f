# bash completion for passation. It knows nothing by itself: passation answers from the
# tables of its commands, and names of the vault only while the agent has the key.

_passation()
{
    COMPREPLY=()
    local rest=${COMP_LINE:0:COMP_POINT} words=() word i

    # bash cuts words at "=", "@", ":" and at redirections, too: what no blank parts is
    # one word. The last one ends at the cursor.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $rest == [[:space:]]* || $i -eq 0 ]]; then
            rest=${rest#"${rest%%[![:space:]]*}"}
            words+=('')
        fi
        ((i == COMP_CWORD)) && word=$rest
        words[${#words[@]} - 1]+=$word
        rest=${rest#"$word"}
    done

    # Redirections are no words of the command; their files are bash's own to complete.
    local line=() skip= last_is_file=
    for word in "${words[@]}"; do
        if [[ $word =~ ^([0-9]*|\&)[\<\>]+\&?(.*)$ ]]; then
            [[ ${BASH_REMATCH[2]} ]] && skip= || skip=1
            last_is_file=1
        elif [[ $skip ]]; then
            skip=
            last_is_file=1
        else
            line+=("$word")
            last_is_file=
        fi
    done
    if [[ $last_is_file ]]; then
        compopt -o default
        return
    fi

    local answers=()
    mapfile -t answers < <(command passation __complete --quoted -- "${line[@]}" 2>/dev/null)
    ((${#answers[@]})) || return 0
    local prefix=${answers[0]#*$'\t'}
    case ${answers[0]%%$'\t'*} in
        files)
            compopt -o default
            return
            ;;
        folders)
            compopt -o dirnames
            return
            ;;
    esac

    # bash puts what we say in the place of the last piece of the word alone, $2, which
    # stands behind the quotation mark if one is open.
    local cur=${words[${#words[@]} - 1]} quote=
    local kept=${cur%"$2"}
    if [[ $kept == *[\'\"] ]]; then
        quote=${kept: -1}
        kept=${kept%?}
    fi
    [[ $kept == *[\'\"]* ]] && return 0
    kept=${kept//\\/}

    local name
    for name in "${answers[@]:1}"; do
        name=$prefix${name%%$'\t'*}
        [[ $name == "$kept"* ]] || continue
        name=${name#"$kept"}
        case $quote in
            '') printf -v name %q "$name" ;;
            \') [[ $name == *\'* ]] && continue ;;
            *) [[ $name == *[\$\`\"\\!]* ]] && continue ;;
        esac
        COMPREPLY+=("$name")
    done
}

complete -F _passation passation
