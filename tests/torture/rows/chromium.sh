# SPDX-License-Identifier: MIT
# needs: chromium
# limit: 120
# goal: no crash
row() {
    cat >page.html <<'HTML'
<canvas id=c></canvas><p id=p></p>
<script>
    let all = []; for (let i = 0; i < 50000; i++) all.push({ i, s: "x".repeat(i % 10) });
    document.getElementById("c").getContext("2d").fillRect(0, 0, 10, 10);
    document.getElementById("p").textContent = "sum " + all.reduce((sum, a) => sum + a.s.length, 0);
</script>
HTML
    chromium --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/profile" \
        --dump-dom "file://$PWD/page.html" >dom && grep -q 'sum 225000' dom
}
