# SPDX-License-Identifier: MIT
# needs: octave-cli
# limit: 120
row() {
    octave-cli --norc --quiet --eval '
        a = reshape(mod(1:250000, 977), 500, 500) + eye(500) * 1000;
        printf("%d\n", round(sum(sum(inv(a) * a))));
        s = struct();
        for i = 1:2000, s.(sprintf("k%d", i)) = ones(1, mod(i, 50)); end
        printf("%d\n", numfields(s));
        c = cellfun(@(x) numel(num2str(x)), num2cell(1:3000));
        printf("%d\n", sum(c));
        try, error("caught"); catch e, disp(e.message); end
        function r = deep(n), if n == 0, r = 0; else r = 1 + deep(n - 1); end, end
        printf("%d\n", deep(200));
        [st, out] = system("echo child"); printf("%s", out);
        printf("%d\n", numel(regexp(repmat("ab1 ", 1, 5000), "[a-z]+\\d")));
        x = fft(1:2^15); printf("%d\n", numel(x));'
}
