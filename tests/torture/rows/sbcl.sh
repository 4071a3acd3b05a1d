# SPDX-License-Identifier: MIT
# needs: sbcl
row() {
    sbcl --noinform --no-userinit --non-interactive --eval '
        (progn
          (print (length (loop for i below 200000 collect (format nil "~a" i))))
          (let ((threads (loop for i below 8 collect
                  (let ((i i)) (sb-thread:make-thread
                    (lambda () (loop for j below 100000 sum (length (list i j)))))))))
            (print (mapcar (function sb-thread:join-thread) threads)))
          (dotimes (i 5) (gc :full t))
          (print (handler-case (labels ((deep (n) (+ 1 (deep n)))) (deep 1))
                   (storage-condition () "stack exhausted")))
          (print (handler-case (car 1) (type-error () "type error")))
          (let ((blocks (loop for i below 1000 collect (sb-alien:make-alien (sb-alien:unsigned 8) (+ 1 i)))))
            (mapc (function sb-alien:free-alien) blocks) (print (length blocks)))
          (print (with-output-to-string (out)
                   (sb-ext:run-program "/bin/echo" (list "child") :output out))))' 2>errors
}
