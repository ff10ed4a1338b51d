# Sourced: a PostgreSQL server in a folder of its own, on 127.0.0.1 only, without a password. For tests and development.
# shellcheck shell=bash

# Prints the folder with initdb, pg_ctl and postgres of the newest PostgreSQL >= 15; fails when there is none.
pg_programs() {
  local folder version best='' best_version=14
  for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
    "$(dirname "$(command -v initdb || echo /nowhere/initdb)")"; do
    if [ ! -x "$folder/initdb" ] || [ ! -x "$folder/pg_ctl" ] || [ ! -x "$folder/postgres" ]; then continue; fi
    version=$("$folder/postgres" --version | sed -n 's/^[^0-9]*\([0-9][0-9]*\).*/\1/p')
    if [ "${version:-0}" -gt "$best_version" ]; then
      best=$folder best_version=$version
    fi
  done
  [ -n "$best" ] && printf '%s\n' "$best"
}

# The user that the server runs as: PostgreSQL refuses to be root.
pg_user() {
  if [ "$(id -u)" -ne 0 ]; then
    id -un
  elif id postgres >/dev/null 2>&1; then
    echo postgres
  else
    echo nobody
  fi
}

# Runs a program as that user, from a folder that it may enter.
pg_run() (
  cd /
  if [ "$(id -u)" -ne 0 ]; then
    exec "$@"
  elif command -v runuser >/dev/null; then
    exec runuser -u "$(pg_user)" -- "$@"
  else
    exec setpriv --reuid "$(pg_user)" --regid "$(id -g "$(pg_user)")" --clear-groups -- "$@"
  fi
)

# Makes an empty cluster in FOLDER/data unless there is one. FOLDER must exist.
pg_create() {
  local folder=$1 programs
  programs=$(pg_programs) || die "PostgreSQL is missing." "Run scripts/install-postgres first."
  [ "$(id -u)" -ne 0 ] || chown "$(pg_user)" "$folder"
  chmod 700 "$folder"
  [ -e "$folder/data/PG_VERSION" ] && return
  pg_run "$programs/initdb" --pgdata "$folder/data" --username postgres --auth trust --encoding UTF8 --no-locale \
    >"$folder/initdb.log" 2>&1 </dev/null || {
    cat "$folder/initdb.log" >&2
    die "initdb failed."
  }
  # Defaults otherwise: every commit reaches the disk, as it does in production.
  cat >>"$folder/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_preload_libraries = 'pg_stat_statements'
CONF
}

# Whether the server of FOLDER runs.
pg_runs() {
  local folder=$1 programs
  programs=$(pg_programs) && [ -e "$folder/data/PG_VERSION" ] &&
    pg_run "$programs/pg_ctl" status --pgdata "$folder/data" >/dev/null 2>&1
}

# Starts the server of FOLDER on a free port below the ports that the kernel hands out, and waits until it answers.
pg_start() {
  local folder=$1 programs try port
  programs=$(pg_programs)
  for try in 1 2 3 4 5 6 7 8; do
    port=$((20000 + RANDOM % 12000))
    if pg_run "$programs/pg_ctl" start --wait --timeout 60 --silent --pgdata "$folder/data" --log "$folder/data/server.log" \
      --options "-p $port" >/dev/null 2>&1 </dev/null; then
      return
    fi
    # Anything but a taken port will not go away by itself.
    grep -q 'Address already in use' "$folder/data/server.log" || break
  done
  tail -n 20 "$folder/data/server.log" >&2
  die "PostgreSQL did not start (tried $try times)."
}

# Prints the URL of the running server of FOLDER.
pg_url() {
  printf 'postgres://postgres@127.0.0.1:%s/postgres\n' "$(sed -n 4p "$1/data/postmaster.pid" | tr -d ' ')"
}

# Stops the server of FOLDER: `fast` lets it write everything down, `immediate` does not.
pg_stop() {
  local folder=$1 mode=${2:-fast} programs
  pg_runs "$folder" || return 0
  programs=$(pg_programs)
  pg_run "$programs/pg_ctl" stop --wait --silent --mode "$mode" --pgdata "$folder/data" >/dev/null 2>&1 </dev/null
}
