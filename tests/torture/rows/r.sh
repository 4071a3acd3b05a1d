# SPDX-License-Identifier: MIT
# needs: R Rscript
# limit: 120
row() {
    Rscript --vanilla -e '
        set.seed(1)
        m <- matrix(rnorm(250000), 500)
        cat(dim(solve(m)), "\n")
        d <- data.frame(g = sample(letters, 1e5, TRUE), x = seq_len(1e5))
        print(head(aggregate(x ~ g, d, length), 3))
        cat(sum(nchar(sapply(1:50000, function(i) paste0("key", i)))), "\n")
        print(unlist(parallel::mclapply(1:8, function(i) sum(seq_len(i * 1e5)), mc.cores = 4)))
        cat(system("echo child", intern = TRUE), "\n")
        print(tryCatch(stop("caught"), error = conditionMessage))
        f <- function(n) f(n + 1)
        cat(class(tryCatch(f(1), error = function(e) e))[[1]] != "", "\n")
        print(coef(lm(x ~ I(1:1e5), d)))
        invisible(gc())'
}
