/*
 * What the C tests hold: REQUIRE says where it does not, and ends the program; `checks` counts. In C
 * and in C++.
 */
#ifndef REQUIRE_H
#define REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

static unsigned checks;

#define REQUIRE(what)                                                          \
    do {                                                                       \
        checks++;                                                              \
        if (!(what)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);         \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

#endif
