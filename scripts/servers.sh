# Sourced: MariaDB, Redis, a mail server and SeaweedFS in a folder of their own, on 127.0.0.1 only, for the tests of nodes
# and files.
# shellcheck shell=bash

# Runs a program that must not be root as the user of PostgreSQL's server, others as they are.
servers_run() { pg_run "$@"; }

# Waits until a command succeeds, at most 30 s.
servers_wait() {
  local try
  for try in $(seq 300); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  return "$((try > 0))"
}

# Starts the servers in FOLDER, which must exist, and sets FLOWFORGE_TEST_MYSQL, _REDIS, _SMTP and _S3.
servers_start() {
  local folder=$1 port mariadbd
  mariadbd=$(command -v mariadbd || echo /usr/sbin/mariadbd)
  mkdir -p "$folder/mysql" "$folder/redis" "$folder/smtp"
  chmod 711 "$folder"

  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$folder/smtp/key.pem" -out "$folder/smtp/cert.pem" 2>/dev/null
  mkdir "$folder/mysql/tls"
  cp "$folder"/smtp/{cert,key}.pem "$folder/mysql/tls"
  [ "$(id -u)" -ne 0 ] || chown -R "$(pg_user)" "$folder/mysql"

  servers_run mariadb-install-db --no-defaults --datadir="$folder/mysql/data" --auth-root-authentication-method=normal \
    --skip-test-db >"$folder/mysql.log" 2>&1 </dev/null || die "MariaDB made no database." "$(tail -n 5 "$folder/mysql.log")"
  port=$((20000 + RANDOM % 12000))
  cat >"$folder/mysql-init.sql" <<SQL
create database test;
create user 'ada'@'127.0.0.1' identified by 's3cret-of-ada';
grant all on test.* to 'ada'@'127.0.0.1';
SQL
  chmod 644 "$folder/mysql-init.sql"
  servers_run "$mariadbd" --no-defaults --datadir="$folder/mysql/data" --bind-address=127.0.0.1 --port="$port" \
    --socket="$folder/mysql/s" --pid-file="$folder/mysql/pid" --init-file="$folder/mysql-init.sql" --skip-name-resolve \
    --ssl-cert="$folder/mysql/tls/cert.pem" --ssl-key="$folder/mysql/tls/key.pem" --max-allowed-packet=256M >>"$folder/mysql.log" 2>&1 </dev/null &
  export FLOWFORGE_TEST_MYSQL="mysql://ada:s3cret-of-ada@127.0.0.1:$port/test?ca=$folder/smtp/cert.pem"

  port=$((20000 + RANDOM % 12000))
  redis-server --bind 127.0.0.1 --port "$port" --requirepass s3cret-of-redis --save '' --appendonly no \
    --tls-port "$((port + 1))" --tls-cert-file "$folder/smtp/cert.pem" --tls-key-file "$folder/smtp/key.pem" \
    --tls-auth-clients no --dir "$folder/redis" --pidfile "$folder/redis/pid" --daemonize yes >/dev/null
  export FLOWFORGE_TEST_REDIS="redis://:s3cret-of-redis@127.0.0.1:$port?tls=$((port + 1))&ca=$folder/smtp/cert.pem"

  /usr/bin/python3 scripts/smtp-server.py "$folder/smtp" >"$folder/smtp.log" 2>&1 </dev/null &
  echo $! >"$folder/smtp/pid"

  servers_wait test -e "$folder/smtp/url" || die "The mail server did not start." "$(tail -n 5 "$folder/smtp.log")"
  FLOWFORGE_TEST_SMTP=$(cat "$folder/smtp/url")
  export FLOWFORGE_TEST_SMTP
  servers_start_s3 "$folder"
  servers_wait test -s "$folder/mysql/pid" || die "MariaDB did not start." "$(tail -n 5 "$folder/mysql.log")"
}

# Starts SeaweedFS in FOLDER, with one bucket. Its parts listen on a row of ports each.
servers_start_s3() {
  local folder=$1 weed port
  weed=$HOME/.cache/flowforge/seaweedfs/bin/weed
  port=$((12000 + RANDOM % 7000))
  mkdir -p "$folder/s3/data"
  cat >"$folder/s3/identities.json" <<'JSON'
{"identities": [{"name": "flowforge", "credentials": [{"accessKey": "flowforge", "secretKey": "s3cret-of-seaweed"}],
  "actions": ["Admin", "Read", "Write", "List"]}]}
JSON
  setsid "$weed" -logtostderr=true server -dir="$folder/s3/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
    -master.port="$port" -master.port.grpc="$((port + 1))" -volume.port="$((port + 2))" -volume.port.grpc="$((port + 3))" \
    -filer -filer.port="$((port + 4))" -filer.port.grpc="$((port + 5))" -s3 -s3.port="$((port + 6))" \
    -s3.port.grpc="$((port + 7))" -s3.port.iceberg=0 -s3.port.lance=0 -s3.config="$folder/s3/identities.json" -master.volumeSizeLimitMB=1024 -volume.max=50 \
    >"$folder/s3.log" 2>&1 </dev/null &
  echo $! >"$folder/s3/pid"
  servers_wait curl --silent --output /dev/null "http://127.0.0.1:$((port + 6))/" ||
    die "SeaweedFS did not start." "$(tail -n 5 "$folder/s3.log")"
  make_bucket() {
    timeout 10 "$weed" shell -master="127.0.0.1:$port.$((port + 1))" -filer="127.0.0.1:$((port + 4)).$((port + 5))" \
      <<<"s3.bucket.create -name flowforge" 2>&1 | grep -q "flowforge"
  }
  servers_wait make_bucket || die "SeaweedFS made no bucket." "$(tail -n 5 "$folder/s3.log")"
  export FLOWFORGE_TEST_S3="http://flowforge:s3cret-of-seaweed@127.0.0.1:$((port + 6))/flowforge"
}

# Stops the servers of FOLDER.
servers_stop() {
  local folder=$1 name pid
  for name in smtp redis mysql s3; do
    pid=$(cat "$folder/$name/pid" 2>/dev/null) && kill "$pid" 2>/dev/null || true
    [ -z "$pid" ] || servers_wait sh -c "! kill -0 $pid" || kill -9 "$pid" 2>/dev/null || true
  done
}
