#!/bin/sh
# Answers "!ping". Run it as: ping.sh CURSOR-FILE, where one session runs, or with ROLLCALL_AS=NAME.
kept=$1

# A field of the event in $line that is a number, or a text without quotes in it.
field() { printf '%s\n' "$line" | sed -n "s/.*[{,]\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

while true; do
    peer tail --since "$(cat "$kept" 2>/dev/null || echo 0)" --follow --json | while IFS= read -r line; do
        case $line in
            *'"path":"self"'* | *'"kind":'*) ;;
            *'"text":"!ping"'*)
                echo "pong, $(field from)" | peer say "$(field room)" - >/dev/null
                # Not reached, or not just now: it is told again.
                [ $? -ne 3 ] || break ;;
        esac
        # Kept once it is answered: after a restart of either side it is not told again.
        cursor=$(field cursor)
        if [ -n "$cursor" ]; then echo "$cursor" >"$kept.new" && mv "$kept.new" "$kept"; fi
    done
    sleep 1
done
