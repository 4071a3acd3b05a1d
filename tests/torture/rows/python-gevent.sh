# SPDX-License-Identifier: MIT
# needs: /usr/lib/python3/dist-packages/gevent/__init__.py
row() {
    /usr/bin/python3 - <<'PY'
import gevent.monkey
gevent.monkey.patch_all()
import gevent, gevent.pool, gevent.queue, gevent.subprocess, os, socket, threading

queue = gevent.queue.Queue(10)
def produce(n):
    for i in range(200):
        queue.put((n, "x" * (i % 50)))
def consume(n):
    return sum(len(queue.get()[1]) for _ in range(200))
producers = [gevent.spawn(produce, i) for i in range(100)]
consumers = [gevent.spawn(consume, i) for i in range(100)]
gevent.joinall(producers + consumers)
print(sum(c.value for c in consumers))

def deep(n):
    gevent.sleep(0)
    return [n] + deep(n - 1) if n else []
print(sum(len(x) for x in gevent.pool.Pool(50).map(deep, [60] * 300)))

server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(50)
def serve():
    for _ in range(100):
        connection, _ = server.accept()
        gevent.spawn(lambda c: (c.sendall(c.recv(1000)[::-1]), c.close()), connection)
def ask(i):
    with socket.create_connection(server.getsockname()) as s:
        s.sendall(b"%d" % i)
        return int(s.recv(1000)[::-1])
gevent.spawn(serve)
print(sum(gevent.pool.Pool(20).map(ask, range(100))))
print(gevent.subprocess.check_output(["echo", "child"]))
print(gevent.get_hub().threadpool.apply(lambda: sum(range(1000))))
PY
}
