# SPDX-License-Identifier: MIT
# needs: luajit
row() {
    luajit -e '
        local ffi = require("ffi")
        ffi.cdef("void *malloc(size_t); void free(void *);")
        ffi.cdef("void qsort(int *, size_t, size_t, int (*)(const int *, const int *));")
        local sum = 0
        for i = 1, 200000 do
            local p = ffi.C.malloc(i % 100)
            sum = sum + (p ~= nil and 1 or 0)
            ffi.C.free(p)
        end
        print(sum)
        local t = {}
        for i = 1, 100000 do t[#t + 1] = { i, tostring(i) } end
        print(#t)
        local all = {}
        local function yields() for j = 1, 10 do coroutine.yield(("x"):rep(j)) end end
        for i = 1, 2000 do all[i] = coroutine.wrap(yields) end
        local n = 0
        for j = 1, 10 do for i = 1, 2000 do n = n + #all[i]() end end
        print(n)
        local a = ffi.new("int[1000]")
        for i = 0, 999 do a[i] = (i * 7919) % 1000 end
        local compare = ffi.cast("int (*)(const int *, const int *)", function(x, y)
            ffi.C.free(ffi.C.malloc(10))
            return x[0] - y[0]
        end)
        ffi.C.qsort(a, 1000, 4, compare)
        print(a[0], a[999])
        print(pcall(error, "caught"))'
}
