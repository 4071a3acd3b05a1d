# SPDX-License-Identifier: MIT
# needs: nginx ab
row() {
    mkdir html
    seq 5000 >html/index.html
    cat >conf <<C
worker_processes 2;
daemon off;
pid $PWD/pid;
error_log $PWD/log;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $PWD/t1; proxy_temp_path $PWD/t2; fastcgi_temp_path $PWD/t3;
    uwsgi_temp_path $PWD/t4; scgi_temp_path $PWD/t5;
    server {
        listen 127.0.0.1:$PORT;
        root $PWD/html;
        location /zip { gzip on; gzip_types *; alias $PWD/html/index.html; }
        location /proxied { proxy_pass http://127.0.0.1:$PORT/; }
    }
}
C
    nginx -p "$PWD" -c "$PWD/conf" -e "$PWD/log" &
    local server=$! i open
    until_true listening
    until_true has_workers
    open=$(ls /proc/$server/fd | wc -l)
    for i in 1 2 3 4 5; do
        load -n 2000 -c 20 "http://127.0.0.1:$PORT/"
        load -n 500 -c 10 -H 'Accept-Encoding: gzip' "http://127.0.0.1:$PORT/zip"
        load -n 500 -c 10 "http://127.0.0.1:$PORT/proxied"
        kill -HUP $server
    done
    # The former workers go when they are idle, and what led to them.
    until_true has_workers
    until_true eval '[ "$(ls /proc/$server/fd | wc -l)" = "$open" ]'
    facts master $server
    kill -QUIT $server
    wait $server
    echo "server: $?"
    count 'exited on signal|alert|emerg' log
}

has_workers() {
    [ "$(pgrep -P "$server" | wc -l)" = 2 ]
}
