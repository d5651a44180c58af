# kubectl with its failures kept: what was a no, and what may do better when it is asked again.

NAME='^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'
planning=
[[ ${SRECODEX_PHASE-} == plan ]] && planning=1

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

log() { printf '%s\n' "$*" >&2; }

fail() {
  log "error: $*"
  exit 1
}

# ask ARGS…: a read, asked again where it may do better.
ask() {
  local pause
  for pause in 0.5 2 ''; do
    kubectl "$@" --request-timeout=60s 2>"$errors" && return 0
    [[ -n $pause ]] && grep -qE "$PASSING" "$errors" || return 1
    log "kubectl $1: $(last_words); again in $pause s"
    sleep "$pause"
  done
}

# change ARGS…: a mutation, asked again only where the server said that it did nothing.
change() {
  local pause
  for pause in 1.1 2.2 4.4 ''; do
    kubectl "$@" >&2 2>"$errors" && return 0
    [[ -n $pause && $(kind_of_failure) =~ ^(throttled|conflict)$ ]] || return 1
    log "kubectl $1: $(last_words); again in $pause s"
    sleep "$pause"
  done
}

PASSING='TooManyRequests|[Tt]oo many requests|timed? ?out|deadline exceeded|connection (refused|reset)|\bEOF\b|\((InternalError|ServiceUnavailable|ServerTimeout|Timeout)\)'

# Of the last failure; empty where nobody said no, and an answer may have been lost after the change.
kind_of_failure() {
  if grep -qE '^error\[' "$errors"; then
    echo refused
  elif grep -qE '\(Forbidden\)| is forbidden: ' "$errors"; then
    echo forbidden
  elif grep -qE '\(NotFound\)|" not found' "$errors"; then
    echo 'not found'
  elif grep -qE 'TooManyRequests|[Tt]oo many requests' "$errors"; then
    echo throttled
  elif grep -qE '\(Conflict\)|object has been modified|within the past second' "$errors"; then
    echo conflict
  elif grep -qE 'must be logged in|\(Unauthorized\)' "$errors"; then
    echo 'expired login'
  elif grep -qE "\((Invalid|BadRequest)\)|can't restart paused|is not supported" "$errors"; then
    echo invalid
  fi
}

# kubectl's last word, but the first line of what the broker refuses: the rest is its hint.
last_words() {
  local words
  if grep -qE '^error\[' "$errors"; then words=$(head -n 1 "$errors"); else words=$(sed '/^[[:space:]]*$/d' "$errors" | tail -n 1); fi
  printf '%s' "${words:-kubectl failed}"
}
