#!/bin/sh
# SPDX-License-Identifier: MIT
#
# assemble.sh CHART LICENCE SCRIPT... >PAGE: makes one page of page.html, page.css, the chart library and our
# scripts, in that order.  The page's policy names what may run by its hash: nothing else does, whatever the
# names in a trace look like, and nothing is ever loaded.
set -eu
here=$(dirname "$0")
chart=$1 licence=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A line break first, as in the page after the opening tag.
{ echo && cat "$here/page.css"; } >"$work/style"
{ echo && sed '/^\/\/# sourceMappingURL=/d' "$chart" && echo; } >"$work/chart"
{ echo && echo "'use strict';" && echo '(() => {' && cat "$@" && echo '})();'; } >"$work/script"
sed -n '/^Permission/,$p' "$licence" >"$work/licence"
if cat "$work/style" "$work/chart" "$work/script" | grep -qiE '</(script|style)|<!--|@cut@'; then
    echo "assemble.sh: a part would end its own element" >&2
    exit 1
fi

hash() { sha256sum <"$work/$1" | cut -c1-64 | tr a-f A-F | basenc --base16 -d | base64; }
scripts="'sha256-$(hash script)' 'sha256-$(hash chart)'"
policy="default-src 'none'; style-src 'sha256-$(hash style)'; script-src $scripts"
policy="$policy; base-uri 'none'; form-action 'none'"

# Each part without the line break that the page has already.
for part in style chart script; do sed -i 1d "$work/$part"; done
sed -e "s|@policy@|$policy|" \
    -e "/^@style@\$/{r $work/style" -e 'd}' -e "/^@chart@\$/{r $work/chart" -e 'd}' \
    -e "/^@script@\$/{r $work/script" -e 'd}' -e "/^@licence@\$/{r $work/licence" -e 'd}' "$here/page.html"
