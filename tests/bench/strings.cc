// SPDX-License-Identifier: MIT
/* strings N: N words into a map of std::string, out of it into a sorted vector; half of the map is erased. */
#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

using Index = std::map<std::string, std::vector<std::string>>;

static std::string word(unsigned number)
{
    return "a word too long for the string itself, " + std::to_string(number);
}

static Index build(unsigned count)
{
    Index index;
    for (unsigned i = 0, random = 1; i < count; i++) {
        random = random * 1103515245u + 12345u;
        index[word((random >> 8) % (count / 4 + 1))].push_back(std::to_string(random));
    }
    return index;
}

static std::vector<std::string> sorted(const Index &index)
{
    std::vector<std::string> all;
    for (const auto &[key, values] : index)
        for (const auto &value : values)
            all.push_back(value + key);
    std::sort(all.begin(), all.end());
    return all;
}

static void thin(Index &index)
{
    bool odd = false;
    for (auto entry = index.begin(); entry != index.end();)
        entry = (odd = !odd) ? index.erase(entry) : std::next(entry);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    Index index = build(static_cast<unsigned>(atol(argv[1])));
    bool some = !sorted(index).empty();
    thin(index);
    return some ? 0 : 1;
}
