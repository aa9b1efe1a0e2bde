#!/usr/bin/env bash
# Proves that help.sh can fail: a toy program and its page that agree, then each way in which they might not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
toy=$(mktemp -d)
trap 'rm -rf "$toy"' EXIT
mkdir -p "$toy/bin" "$toy/man" "$toy/cmd/toy"
touch "$toy/cmd/toy/main.cpp"
page=$toy/man/pgtandem-toy.1
kinds=0

fresh() {
  cat >"$toy/bin/toy" <<'END'
#!/bin/sh
case ${1:-} in
  put) printf 'usage: pgtandem toy put\n\nputs\n\noptions:\n  --into FOLDER           where\n' ;;
  *) printf 'usage: pgtandem toy COMMAND\n\nToys.\n\ncommands:\n  put                     puts --away\n\ncommon options:\n' ;;
esac
printf '  -c, --config FILE       the configuration\n  --log-level debug|info|warn|error\n                          what to log; not --less\n'
END
  chmod +x "$toy/bin/toy"
  cat >"$page" <<'END'
.Dd November 24, 2026
.Dt PGTANDEM-TOY 1
.Os pgtandem
.Sh NAME
.Nm pgtandem-toy
.Nd a toy
.Sh DESCRIPTION
.Ss Commands
.Bl -tag -width Ds
.It Cm put Op Fl -into Ar FOLDER
Put, which no
.Fl -option
of others changes.
.El
.Ss Options
.Bl -tag -width Ds
.It Fl -into Ar FOLDER
Where.
.It Fl c , Fl -config Ar FILE
The configuration.
.It Fl -log-level Ar debug Ns | Ns Ar info Ns | Ns Ar warn Ns | Ns Ar error
What to log.
.El
END
}
red() { # WHAT WORDS
  local out
  kinds=$((kinds + 1))
  if out=$("$here/help.sh" "$toy/bin" "$toy" 2>&1); then
    echo "help.sh lets pass: $1"
    exit 1
  fi
  grep -qF -- "$2" <<<"$out" || {
    printf 'help.sh does not name: %s\n%s\n' "$1" "$out"
    exit 1
  }
  fresh
}
fresh
"$here/help.sh" "$toy/bin" "$toy" || { echo 'help.sh finds fault where there is none'; exit 1; }

sed -i '/It Fl -into/,+1d' "$page"
red 'an option of a command that the page lacks' 'does not tell of the option --into FOLDER'
sed -i 's/^\.It Fl -into.*/&\nWhere.\n.It Fl -onto Ar FOLDER/' "$page"
red 'an option that the program lacks' 'tells of the option --onto FOLDER, which --help does not have'
sed -i 's/It Fl c , /It /' "$page"
red 'a short option that the page lacks' 'does not tell of the option -c, --config FILE'
sed -i 's/Ar warn Ns | Ns //' "$page"
red 'a value that the page lacks' 'tells of the option --log-level debug|info|error'
sed -i 's/It Cm put/It Cm get/' "$page"
red 'a command that the page lacks' 'does not tell of the command put'
sed -i 's/It Cm put/It Cm get/' "$page"
red 'a command that the program lacks' 'tells of the command get, which --help does not have'
rm "$page"
red 'a program without a page' 'the program toy has no page'
rm "$toy/bin/toy"
red 'a program that was not built' 'there is no program'
printf '#!/bin/sh\necho usage: toy\n' >"$toy/bin/toy"
red 'a help without options' 'lists no option'
echo '.Xx' >>"$page"
red 'a page that mandoc minds' 'does not pass mandoc'
echo "help.sh sees all $kinds ways in which help and manual can differ"
