#ifndef PSN_INTEROP_CSV_H
#define PSN_INTEROP_CSV_H

/*
 * What passation's own CSV adds to RFC 4180: a cell that a spreadsheet would take for a
 * formula has this in front, and the row's last cell, "Escaped", names the columns where
 * it stands, so that reading takes away no more than writing has put there.
 */
enum {
    PSN_CSV_ESCAPE = '\'',
};

#endif
