# SPDX-License-Identifier: MIT
# needs: apache2 ab /usr/lib/apache2/modules/mod_mpm_event.so
row() {
    mkdir html
    seq 5000 >html/index.html
    cat >conf <<C
ServerRoot $PWD
ServerName localhost
PidFile $PWD/pid
ErrorLog $PWD/log
DefaultRuntimeDir $PWD
Listen 127.0.0.1:$PORT
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so
LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so
User nobody
Group nogroup
StartServers 2
ServerLimit 4
ThreadsPerChild 16
MaxRequestWorkers 64
SetOutputFilter DEFLATE
DocumentRoot $PWD/html
C
    apache2 -f "$PWD/conf" -DFOREGROUND &
    local server=$! i
    until_true listening
    for i in 1 2 3 4 5; do
        load -n 2000 -c 20 "http://127.0.0.1:$PORT/"
        load -n 500 -c 10 -H 'Accept-Encoding: gzip' "http://127.0.0.1:$PORT/"
        # Gracefully, and not.
        kill -USR1 $server
        until_true eval '[ "$(grep -c "resuming normal operations" log)" = '$((2 * i))' ]'
        kill -HUP $server
        until_true eval '[ "$(grep -c "resuming normal operations" log)" = '$((2 * i + 1))' ]'
    done
    facts server $server
    kill -TERM $server
    wait $server
    echo "server: $?"
    count 'exit signal|crit|alert|emerg' log
}
