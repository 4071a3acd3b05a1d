# SPDX-License-Identifier: MIT
# needs: soffice
# limit: 120
# goal: no crash
row() {
    seq 2000 | sed 's/.*/line & of a text/' >text.txt
    soffice --headless "-env:UserInstallation=file://$PWD/profile" --convert-to odt text.txt >said &&
        [ -s text.odt ]
}
