# SPDX-License-Identifier: MIT
# needs: gst-inspect-1.0 gst-launch-1.0
row() {
    export GST_REGISTRY=$PWD/registry
    # The scanner, a process that loads every plug-in there is.
    gst-inspect-1.0 | sort | sha256sum
    gst-inspect-1.0 --print-all | wc -l
    gst-launch-1.0 -q videotestsrc num-buffers=50 ! video/x-raw,width=160,height=120 ! queue ! \
        videoconvert ! queue ! pngenc ! multifilesink location="$PWD/frame%02d.png"
    gst-launch-1.0 -q audiotestsrc num-buffers=200 ! audioconvert ! queue ! audioresample ! wavenc ! \
        filesink location=a.wav
    cat frame*.png a.wav | sha256sum
}
