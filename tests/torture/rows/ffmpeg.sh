# SPDX-License-Identifier: MIT
# needs: ffmpeg
# limit: 120
row() {
    ffmpeg -v error -f lavfi -i testsrc2=duration=2:size=320x240:rate=25 \
        -f lavfi -i sine=frequency=440:duration=2 \
        -c:v libx264 -qp 23 -threads 4 -preset fast -bitexact -c:a aac one.mkv </dev/null || return
    ffmpeg -v error -i one.mkv -vf scale=160:120,hue=s=0 -c:v libx265 -x265-params log-level=none:pools=2 \
        -bitexact -c:a flac two.mkv </dev/null || return
    ffmpeg -v error -threads 4 -i two.mkv -f framemd5 -bitexact - </dev/null | tail -n 30
    ffprobe -v error -show_entries format=nb_streams,format_name one.mkv
    ffmpeg -v quiet -codecs </dev/null | wc -l
}
