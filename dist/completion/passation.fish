# fish completion for passation. It knows nothing by itself: passation answers from the
# tables of its commands, and names of the vault only while the agent has the key.

function __passation_complete
    set -l token (commandline -ct)
    set -l line (string escape -- (commandline -opc)) "$token"
    set -l answers (command passation __complete --quoted -- $line 2>/dev/null)
    set -l head (string split -m 1 \t -- $answers[1])
    set -l value (string sub -s (math (string length -- "$head[2]") + 1) -- "$token")
    switch "$head[1]"
        case files
            printf '%s\n' $head[2](__fish_complete_path "$value")
        case folders
            printf '%s\n' $head[2](__fish_complete_directories "$value" '')
        case names
            if set -q answers[2]
                printf '%s\n' $head[2]$answers[2..-1]
            end
    end
end

complete -c passation -f -a '(__passation_complete)'
