#!/usr/bin/env bash
# Restarts one pod: deletes it so that its controller makes a new one, or rolls its owner.
#
# Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr.
#
# Which pod is meant is decided once, by uid: a resumed run does not restart the successor of the one that it restarted.
set -uo pipefail
here=${BASH_SOURCE[0]%/*}
# shellcheck source=json.sh
source "$here/json.sh"
# shellcheck source=cluster.sh
source "$here/cluster.sh"

LOG_BYTES=10000000

# --- what is said at the end

# told SUMMARY RESTARTED READY: prints the result and ends.
told() {
  local owner_json=null replacement_json=null
  [[ -n ${owner:-} ]] && owner_json=$(json_string "$owner")
  [[ -n ${replacement:-} ]] && replacement_json=$(json_string "$replacement")
  printf '{"summary":%s,"restarted":%s,"owner":%s,"replacement":%s,"ready":%s}\n' \
    "$(json_string "$1")" "$2" "$owner_json" "$replacement_json" "$3"
  exit 0
}

# --- inputs

read_inputs() {
  json_object "$(cat)" || fail 'the inputs are a JSON object of texts, numbers and switches'
  namespace=${JSON[namespace]-} pod=${JSON[pod]-}
  method=${JSON[method]-delete} save_logs=${JSON[save_logs]-true} allow_bare=${JSON[allow_bare]-false}
  wait_seconds=${JSON[wait_seconds]-120}
  [[ $namespace =~ $NAME ]] || fail "\`$namespace\` is no namespace"
  [[ $pod =~ $NAME ]] || fail "\`$pod\` is no pod"
  [[ $method == delete || $method == rollout ]] || fail 'method is delete or rollout'
  [[ $wait_seconds =~ ^[0-9]{1,3}$ ]] || fail 'wait_seconds is a number'
}

# --- who it is

# Fields of the pod and of what owns it, one a line, so that an empty one has its place.
POD='{.metadata.uid}{"\n"}{.metadata.ownerReferences[?(@.controller==true)].kind}{"\n"}'
POD+='{.metadata.ownerReferences[?(@.controller==true)].name}{"\n"}'
POD+='{.metadata.ownerReferences[?(@.controller==true)].uid}{"\n"}'
POD+='{.metadata.annotations.kubernetes\.io/config\.mirror}{"\n"}{.metadata.labels.pod-template-hash}{"\n"}'
POD+='{.spec.nodeName}{"\n"}{.metadata.deletionTimestamp}{"\n"}{.metadata.finalizers[*]}{"\n"}'
POD+='{range .spec.containers[*]}{.name}{" "}{end}{"\n"}'

ABOVE='{.metadata.ownerReferences[?(@.controller==true)].kind}{"\n"}{.metadata.ownerReferences[?(@.controller==true)].name}'

describe_pod() {
  local text kind name above
  text=$(ask get pod "$pod" -n "$namespace" -o "jsonpath=$POD") || return
  printf '%s\n' "$text"
  mapfile -t above <<<"$text"
  kind=${above[1]-} name=${above[2]-}
  if [[ $kind == ReplicaSet ]]; then
    # A ReplicaSet has a Deployment above it, or stands alone. Where it may not be read, the hash in its name tells.
    if text=$(ask get replicaset "$name" -n "$namespace" -o "jsonpath=$ABOVE"); then
      printf '%s\n' "$text"
    elif [[ -n ${above[5]-} ]]; then
      printf 'Deployment\n%s\n' "${name%-"${above[5]}"}"
    fi
  fi
  return 0
}

similar_pods() {
  local stem=${pod%-*} names
  # web-7d9f6c-abcde: a new template changes the hash, so the name of the workload is what stays.
  [[ ${stem%-*} != "$stem" ]] && stem=${stem%-*}
  names=$(ask get pods -n "$namespace" -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}') || return 0
  names=$(grep -F -- "$stem" <<<"$names" | head -n 5 | paste -sd ' ')
  [[ -n $names ]] && printf '; similar: %s' "${names// /, }"
}

# Namespace/kind/name of the workload, the topmost that is known.
owner_of() {
  local kind=${facts[1]-} name=${facts[2]-}
  if [[ -n ${facts[10]-} && -n ${facts[11]-} ]]; then kind=${facts[10]} name=${facts[11]}; fi
  [[ -n $kind ]] && printf '%s/%s/%s' "$namespace" "${kind,,}" "$name"
}

# --- before it goes

keep_logs() {
  local container path which
  for container in ${facts[9]-}; do
    for which in log previous.log; do
      path=$(artifact "logs/$namespace/$pod/$container.$which") || return 0
      if ! kubectl logs "$pod" -n "$namespace" -c "$container" --limit-bytes="$LOG_BYTES" --request-timeout=20s \
        $([[ $which == previous.log ]] && printf %s --previous) >"$path" 2>/dev/null; then
        [[ $which == log ]] && log "$container: its log cannot be read"
        rm -f "$path"
      fi
    done
  done
}

BUDGETS='{{range .items}}{{.metadata.name}} {{.status.disruptionsAllowed}} {{range $key, $value := .spec.selector.matchLabels}}'
BUDGETS+='{{$key}}={{$value}},{{end}}{{range .spec.selector.matchExpressions}}{{if eq .operator "Exists"}}{{.key}},'
BUDGETS+='{{else if eq .operator "DoesNotExist"}}!{{.key}},{{else if eq .operator "In"}}{{.key}} in (@{{range .values}}{{.}}@{{end}}),'
BUDGETS+='{{else}}{{.key}} notin (@{{range .values}}{{.}}@{{end}}),{{end}}{{end}}{{"\n"}}{{end}}'

# Names of disruption budgets that have nothing left for this pod.
spent_budgets() {
  local name allowed selector hits
  while read -r name allowed selector; do
    [[ $allowed == 0 ]] || continue
    selector=${selector%,} selector=${selector//\(@/\(} selector=${selector//@\)/\)} selector=${selector//@/,}
    [[ -n $selector ]] || continue
    hits=$(ask get pods -n "$namespace" -l "$selector" --field-selector="metadata.name=$pod" -o name) || continue
    [[ -n $hits ]] && printf '%s ' "$name"
  done < <(ask get poddisruptionbudgets -n "$namespace" -o "go-template=$BUDGETS")
}

# --- the restart

delete_pod() {
  change delete pod "$pod" -n "$namespace" --wait=false --request-timeout=60s && return
  case $(kind_of_failure) in
    'not found') return 0 ;;
    forbidden) fail "forbidden: delete pods in namespace $namespace" ;;
    '')
      # Nobody said no, so the pod says whether it happened.
      log "no answer to the delete: $(last_words)"
      local live
      live=$(live_uid) || fail "OUTCOME UNKNOWN: no answer to the delete of $namespace/$pod, and it cannot be looked at"
      [[ $live != "$uid" ]] || fail "the delete did not happen: no answer from the server"
      ;;
    *) fail "$(last_words)" ;;
  esac
}

LIVE='{.metadata.uid}{" "}{.metadata.deletionTimestamp}'

# The uid behind the name, as long as nobody is deleting it; empty where there is none.
live_uid() {
  local text id going
  text=$(ask get pod "$pod" -n "$namespace" --ignore-not-found -o "jsonpath=$LIVE") || return
  read -r id going <<<"$text"
  [[ -n $going ]] || printf '%s' "$id"
}

roll_owner() {
  local target=$1
  change rollout restart "$target" -n "$namespace" && return
  case $(kind_of_failure) in
    forbidden) fail "forbidden: patch ${target%%/*}s in namespace $namespace" ;;
    '')
      log "no answer to the restart: $(last_words)"
      local at
      at=$(ask get "$target" -n "$namespace" \
        -o 'jsonpath={.spec.template.metadata.annotations.kubectl\.kubernetes\.io/restartedAt}') ||
        fail "OUTCOME UNKNOWN: no answer to the restart of $target, and it cannot be looked at"
      at=$(date -u -d "${at:-1970-01-01T00:00:00Z}" +%s)
      ((at >= started)) || fail 'the restart did not happen: no answer from the server'
      ;;
    *) fail "$(last_words)" ;;
  esac
}

# --- the replacement

CONTROLLED='{range .items[*]}{.metadata.ownerReferences[?(@.controller==true)].uid}{"|"}{.metadata.uid}{"|"}'
CONTROLLED+='{.metadata.name}{"|"}{.status.conditions[?(@.type=="Ready")].status}{"|"}{.metadata.deletionTimestamp}{"\n"}{end}'

# Pods of the same controller, one a line: uid, name, whether it is ready, whether it is going.
controlled_pods() {
  local narrow=()
  case $owner_kind in
    ReplicaSet) [[ -n $hash ]] && narrow=(-l "pod-template-hash=$hash") ;;
    StatefulSet) narrow=(--field-selector="metadata.name=$pod") ;;
    DaemonSet) [[ -n $node ]] && narrow=(--field-selector="spec.nodeName=$node") ;;
  esac
  ask get pods -n "$namespace" ${narrow[@]+"${narrow[@]}"} -o "jsonpath=$CONTROLLED" |
    while IFS='|' read -r of id name is_ready going; do
      [[ $of == "$owner_uid" && -z $going ]] && printf '%s %s %s\n' "$id" "$name" "${is_ready:-False}"
    done
  return "${PIPESTATUS[0]}"
}

controlled_uids() {
  controlled_pods | cut -d ' ' -f 1 | paste -sd ' '
}

# Sets `replacement`; succeeds once it is ready. A look that fails is made again while there is time.
await_replacement() {
  local deadline=$((SECONDS + wait_seconds)) pods id name is_ready
  while :; do
    pods=$(controlled_pods) || pods=
    while read -r id name is_ready; do
      [[ -n $id && $id != "$uid" && " $siblings " != *" $id "* ]] || continue
      replacement=$name
      [[ $is_ready == True ]] && return 0
    done <<<"$pods"
    ((SECONDS < deadline)) || return 1
    sleep 0.5
  done
}

STATE='{range .status.containerStatuses[*]}{.state.waiting.reason}{" "}{.state.terminated.reason}{" "}'
STATE+='{.lastState.terminated.reason}{"\n"}{end}{.status.conditions[?(@.type=="PodScheduled")].reason}{"\n"}'

# Why a pod is not ready, as its status gives it.
why_not_ready() {
  [[ -n $1 ]] || { printf 'no replacement has appeared'; return; }
  local words
  words=$(ask get pod "$1" -n "$namespace" -o "jsonpath=$STATE" | tr -s ' \n' '\n' | sed '/^$/d;/^Completed$/d' | sort -u | paste -sd ' ')
  printf '%s' "${words:-not ready}"
}

# --- the whole

main() {
  read_inputs
  local text
  # What `once` starts is a shell of its own.
  export namespace pod POD ABOVE CONTROLLED errors PASSING
  export -f describe_pod ask log last_words controlled_pods controlled_uids
  if ! text=$(once pod describe_pod); then
    case $(kind_of_failure) in
      'not found') fail "there is no pod $pod in $namespace$(similar_pods)" ;;
      forbidden) fail "forbidden: get pods in namespace $namespace" ;;
      *) fail "$(last_words)" ;;
    esac
  fi
  mapfile -t facts <<<"$text"
  uid=${facts[0]} owner=$(owner_of) replacement=
  local kind=${facts[1]-} target=${owner#*/} warning='' siblings spent

  [[ -n ${facts[4]-} || $kind == Node ]] && fail "$pod is a static pod: deleting its mirror restarts nothing; its manifest lies on node ${facts[6]-}"
  [[ $kind == Job ]] && fail "$pod belongs to Job ${facts[2]}, which decides about its retries itself"
  if [[ -z $kind ]]; then
    [[ $method == rollout ]] && fail "$pod has no owner that could be rolled"
    [[ $allow_bare == true ]] || fail "no controller owns $pod: deleted, it does not come back (allow_bare deletes it all the same)"
  fi
  if [[ -n ${facts[7]-} ]]; then
    local held=${facts[8]-}
    told "$namespace/$pod is being deleted since ${facts[7]}: nothing was done${held:+; finalizers hold it: $held}${held:-; its node may not answer}" false false
  fi
  if [[ $method == rollout && ! $target =~ ^(deployment|statefulset|daemonset)/ ]]; then
    fail "$owner has no rollout: method delete restarts the pod alone"
  fi

  started=$(once started date +%s)
  if [[ $method == delete && -n $kind ]]; then
    export owner_kind=$kind owner_uid=${facts[3]-} hash=${facts[5]-} node=${facts[6]-}
    siblings=$(once siblings controlled_uids)
    spent=$(spent_budgets)
    [[ -n $spent ]] && warning="; disruption budget ${spent% } has none left, which a delete does not ask: method rollout would keep it"
    [[ -n $warning ]] && log "${warning#; }"
  fi

  local live
  live=$(live_uid) || fail "$(last_words)"
  if [[ $live == "$uid" && $save_logs == true ]]; then keep_logs; fi

  if [[ $method == rollout ]]; then
    roll_owner "$target"
    [[ $planning ]] && told "to restart: $owner, all of its pods, for $pod" true true
    if kubectl rollout status "$target" -n "$namespace" --timeout="${wait_seconds}s" >&2; then
      told "restarted $owner, and its rollout is done" true true
    fi
    told "restarted $owner; its rollout was not done in $wait_seconds s: $(why_not_ready "$(newest_unready)")" true false
  fi

  if [[ $live == "$uid" || $planning ]]; then
    delete_pod
  else
    log "$pod is gone already: nothing to delete"
  fi
  [[ $planning ]] && told "to delete: $namespace/$pod${owner:+, which $owner replaces}$warning" "$([[ -n $kind ]] && echo true || echo false)" true
  [[ -z $kind ]] && told "deleted $namespace/$pod; nothing owns it, so it does not come back" false false
  if await_replacement; then
    told "restarted $namespace/$pod: $replacement is ready$warning" true true
  fi
  told "deleted $namespace/$pod; ${replacement:-its replacement} is not ready after $wait_seconds s: $(why_not_ready "$replacement")$warning" true false
}

READY='{range .items[*]}{.metadata.name}{" "}{.status.conditions[?(@.type=="Ready")].status}{" "}'
READY+='{.metadata.deletionTimestamp}{"\n"}{end}'

# A pod of the owner that is not ready, the one that holds a rollout up.
newest_unready() {
  ask get pods -n "$namespace" --sort-by=.metadata.creationTimestamp -o "jsonpath=$READY" |
    awk -v stem="${target#*/}-" 'index($1, stem) == 1 && $2 != "True" && $3 == "" { last = $1 } END { print last }'
}

main
