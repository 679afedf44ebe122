/* The header's versions are those of the library; prints the library's. */
#include <deltawire.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    char version[32];
    snprintf(version, sizeof version, "%u.%u.%u", (unsigned)DW_VERSION_MAJOR,
             (unsigned)DW_VERSION_MINOR, (unsigned)DW_VERSION_PATCH);
    if (strcmp(version, dw_version()) != 0 || dw_abi_version() != DW_ABI_VERSION) {
        fprintf(stderr, "header %s, library %s\n", version, dw_version());
        return 1;
    }
    puts(dw_version());
    return 0;
}
