# SPDX-License-Identifier: BSD-2-Clause
# Doxygen's filter for Markdown: links to headers become names, which it links
# to their pages; links to files that have no page become their text; links to
# the third level of headings, and these headings, get labels.
s,\[\([a-z_]*\.h\)\]([^)]*),\1,g
s,\[\([^]]*\)\](LICENSE),\1,g
s,\](\([a-z/.-]*\.md\)\{0\,1\}#\([a-z_-]*\)),](@ref \2),g
/^### \(ABI\|Added\|Changed\|Fixed\|Porting\)$/b
/^### /{
    h
    s,^### ,,
    s,[^A-Za-z_ -],,g
    y,ABCDEFGHIJKLMNOPQRSTUVWXYZ ,abcdefghijklmnopqrstuvwxyz-,
    s,.*, {#&},
    x
    G
    s,\n,,
}
