# SPDX-License-Identifier: MIT
# needs: g++ make
# limit: 170
row() {
    local i
    for i in $(seq 4); do
        cat >"part$i.cc" <<CC
#include <map>
#include <regex>
#include <string>
#include <vector>
template <int N> struct Fold { static long sum() { return N + Fold<N - 1>::sum(); } };
template <> struct Fold<0> { static long sum() { return 0; } };
long part$i(const std::string &text)
{
    std::map<std::string, std::vector<long>> words;
    std::regex word("[a-z]+");
    for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at)
        words[at->str()].push_back(at->position());
    return static_cast<long>(words.size()) + Fold<$((100 + i))>::sum();
}
CC
        echo "long part$i(const std::string &);"
    done >parts.h
    {
        printf '#include <cstdio>\n#include <string>\n#include "parts.h"\n'
        printf 'int main() { std::string s = "a b ab a"; long n = 0;\n'
        for i in $(seq 4); do echo "n += part$i(s);"; done
        printf 'printf("%%ld\\n", n); }\n'
    } >main.cc
    cat >Makefile <<'MK'
CXXFLAGS = -O2 -g
program: $(patsubst %.cc,%.o,$(wildcard *.cc))
	$(CXX) -o $@ $^
MK
    make -s -j4 || return
    ./program
    sha256sum *.o program
}
