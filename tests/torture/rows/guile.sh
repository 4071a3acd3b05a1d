# SPDX-License-Identifier: MIT
# needs: guile
row() {
    export GUILE_AUTO_COMPILE=0
    guile -c '
        (use-modules (ice-9 threads) (ice-9 ftw) (srfi srfi-1))
        (define (work n) (fold + 0 (map string-length (map number->string (iota (* 1000 n))))))
        (display (apply + (par-map work (iota 20)))) (newline)
        (define (deep n) (if (= n 0) 0 (+ 1 (deep (- n 1)))))
        (display (deep 100000)) (newline)
        (let ((k #f) (n 0))
          (display (+ 1 (call/cc (lambda (c) (set! k c) 1)))) (newline)
          (set! n (+ n 1)) (if (< n 5) (k n)))
        (display (catch #t (lambda () (vector-ref (vector) 3)) (lambda (key . rest) key))) (newline)
        (gc)
        (display (expt 7 500)) (newline)'
}
