# SPDX-License-Identifier: BSD-2-Clause
# Doxygen's input filter: members below "private:" are not part of the API.
/\/\* private:/,/^};/{
    s,/\* private:,/** @cond */ &,
    s,^};,/** @endcond */ };,
}
