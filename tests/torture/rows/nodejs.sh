# SPDX-License-Identifier: MIT
# needs: node
row() {
    cat >main.js <<'JS'
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
const { execFileSync } = require("child_process");
const zlib = require("zlib"), crypto = require("crypto"), fs = require("fs");
if (isMainThread) {
    let done = 0, sum = 0;
    const start = (n) => new Worker(__filename, { workerData: n })
        .on("message", (m) => sum += m)
        .on("exit", () => {
            if (++done < 24) { if (done <= 16) start(8 + done - 1); return; }
            console.log("workers", done, sum);
            console.log(execFileSync("echo", ["child"]).toString());
            crypto.pbkdf2("secret", "salt", 10000, 32, "sha256", (e, key) => {
                console.log(key.toString("hex"));
                zlib.gzip(Buffer.alloc(1 << 20, "x"), (e, z) => console.log(zlib.gunzipSync(z).length));
            });
            console.log(fs.readdirSync("/proc/self/task").length > 4);
        });
    for (let n = 0; n < 8; n++) start(n);
} else {
    const objects = [];
    for (let i = 0; i < 50000; i++) objects.push({ i, s: "x".repeat(i % 20), a: [i] });
    const bytes = Buffer.from(JSON.stringify(objects));
    parentPort.postMessage(workerData + zlib.inflateSync(zlib.deflateSync(bytes)).length +
        new SharedArrayBuffer(1 << 16).byteLength);
}
JS
    node main.js
}
