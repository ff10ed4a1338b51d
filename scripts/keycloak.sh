# Sourced: a Keycloak in a folder of its own, on 127.0.0.1 only, with the realm of keycloak/, for tests.
# shellcheck shell=bash

# Waits until Keycloak answers, at most four minutes.
keycloak_wait() {
  local url=$1 pid=$2 try
  for try in $(seq 2400); do
    curl --silent --fail --output /dev/null "$url/realms/flowforge/.well-known/openid-configuration" && return
    kill -0 "$pid" 2>/dev/null || return
    sleep 0.1
  done
  return "$((try > 0))"
}

# Starts Keycloak in FOLDER, which must exist, and sets FLOWFORGE_TEST_KEYCLOAK to its address, with the admin's name and
# password. Nothing of it is kept: its database is in memory.
keycloak_start() {
  local folder=$1 home port pid password
  home=$(scripts/install-keycloak)
  port=$((20000 + RANDOM % 12000))
  password=$(openssl rand -hex 16)
  mkdir -p "$home/data/import"
  cmp -s keycloak/flowforge-realm.json "$home/data/import/flowforge-realm.json" ||
    cp keycloak/flowforge-realm.json "$home/data/import/flowforge-realm.json"
  JAVA_OPTS_KC_HEAP='-Xms64m -Xmx512m' KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=$password \
    setsid "$home/bin/kc.sh" start --optimized --import-realm --http-enabled=true --http-host=127.0.0.1 \
    --http-port="$port" --hostname="http://127.0.0.1:$port" >"$folder/keycloak.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$folder/keycloak.pid"
  keycloak_wait "http://127.0.0.1:$port" "$pid" || true
  curl --silent --fail --output /dev/null "http://127.0.0.1:$port/realms/flowforge/.well-known/openid-configuration" ||
    die "Keycloak did not start." "$(tail -n 5 "$folder/keycloak.log")"
  export FLOWFORGE_TEST_KEYCLOAK="http://admin:$password@127.0.0.1:$port"
}

# Stops the Keycloak of FOLDER: the group of processes that was begun for it.
keycloak_stop() {
  local pid
  pid=$(cat "$1/keycloak.pid" 2>/dev/null) || return 0
  kill -- "-$pid" 2>/dev/null || true
}
