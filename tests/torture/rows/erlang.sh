# SPDX-License-Identifier: MIT
# needs: erl
row() {
    erl -noshell -eval '
        Parent = self(),
        Work = fun(N) -> lists:sum([length(integer_to_list(I * N)) || I <- lists:seq(1, 2000)]) end,
        Pids = [spawn(fun() -> Parent ! {self(), Work(N)} end) || N <- lists:seq(1, 1000)],
        io:format("~p~n", [lists:sum([receive {P, S} -> S end || P <- Pids])]),
        T = ets:new(t, [ordered_set, public, {write_concurrency, true}]),
        [ets:insert(T, {N, binary:copy(<<"x">>, N rem 300)}) || N <- lists:seq(1, 50000)],
        io:format("~p~n", [ets:info(T, size)]),
        io:format("~p~n", [byte_size(zlib:compress(binary:copy(<<"abc">>, 1000000)))]),
        io:format("~s", [os:cmd("echo child")]),
        io:format("~p~n", [catch lists:nth(5, [])]),
        io:format("~p~n", [re:run("aXbXc", "X", [global])]),
        halt(3).'
    echo "status $?"
}
