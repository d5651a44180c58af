# JSON in plain Bash: one flat object in, strings out. Nothing else need be installed.

declare -A JSON=()

# json_object TEXT: fills JSON with the members of an object of texts, numbers, true, false and null (which is absent).
# Fails where it is anything else.
json_object() {
  local text=$1 name value string='^[[:space:]]*"(([^"\\[:cntrl:]]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)"' rest
  local plain='^[[:space:]]*(-?[0-9]+|true|false|null)'
  JSON=()
  [[ $text =~ ^[[:space:]]*\{ ]] || return 1
  rest=${text:${#BASH_REMATCH[0]}}
  [[ $rest =~ ^[[:space:]]*\}[[:space:]]*$ ]] && return 0
  while :; do
    [[ $rest =~ $string ]] || return 1
    name=$(json_text "${BASH_REMATCH[1]}x") || return 1
    rest=${rest:${#BASH_REMATCH[0]}}
    [[ $rest =~ ^[[:space:]]*: ]] || return 1
    rest=${rest:${#BASH_REMATCH[0]}}
    if [[ $rest =~ $string ]]; then
      value=$(json_text "${BASH_REMATCH[1]}x") || return 1
    elif [[ $rest =~ $plain ]]; then
      value=${BASH_REMATCH[1]}x
    else
      return 1
    fi
    rest=${rest:${#BASH_REMATCH[0]}}
    [[ $value == nullx ]] || JSON["${name%x}"]=${value%x}
    if [[ $rest =~ ^[[:space:]]*, ]]; then
      rest=${rest:${#BASH_REMATCH[0]}}
    elif [[ $rest =~ ^[[:space:]]*\}[[:space:]]*$ ]]; then
      return 0
    else
      return 1
    fi
  done
}

# What stands between the quotes of a JSON string. Escapes of printf's own are those of JSON, but for \/ and \".
json_text() {
  local text=${1//\\\//\/}
  text=${text//%/%%}
  text=${text//\\\"/\"}
  # shellcheck disable=SC2059
  printf -- "$text"
}

json_string() {
  local text=$1 out='' char index
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\t'/\\t}
  text=${text//$'\r'/\\r}
  if [[ $text == *[[:cntrl:]]* ]]; then
    for ((index = 0; index < ${#text}; index++)); do
      char=${text:index:1}
      [[ $char == [[:cntrl:]] ]] && printf -v char '\\u%04x' "'$char"
      out+=$char
    done
    text=$out
  fi
  printf '"%s"' "$text"
}
