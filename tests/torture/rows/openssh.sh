# SPDX-License-Identifier: MIT
# needs: sshd ssh scp sftp ssh-keygen
row() {
    ssh-keygen -q -t ed25519 -N '' -f host
    ssh-keygen -q -t ed25519 -N '' -f user
    cp user.pub authorized
    chmod 755 .
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
    cat >sshd.conf <<C
ListenAddress 127.0.0.1:$PORT
HostKey $PWD/host
AuthorizedKeysFile $PWD/authorized
PidFile $PWD/pid
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
C
    cat >ssh.conf <<C
Host *
    HostName 127.0.0.1
    Port $PORT
    IdentityFile $PWD/user
    IdentitiesOnly yes
    UserKnownHostsFile $PWD/known
    StrictHostKeyChecking no
    LogLevel ERROR
    BatchMode yes
C
    /usr/sbin/sshd -D -f "$PWD/sshd.conf" -E "$PWD/log" &
    local server=$! i
    until_true grep -q listening log
    seq 500000 >data
    for i in 1 2 3; do
        ssh -F ssh.conf here "cat >$PWD/copy$i; echo received" <data
        scp -q -F ssh.conf "here:$PWD/copy$i" "back$i"
        cmp data "back$i" && echo "copy $i is the same"
    done
    for i in $(seq 10); do
        ssh -F ssh.conf here "echo session $i; exit $i"
        echo "status $?"
    done
    echo "put data $PWD/copy4" | sftp -q -F ssh.conf -b - here
    cmp data copy4 && echo "copy 4 is the same"
    facts sshd $server
    kill $server
    wait $server
    echo "server: $?"
    count 'fatal|error|signal' log
}
