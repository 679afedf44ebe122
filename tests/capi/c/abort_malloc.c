/* Linked with a program, it aborts it at the first allocation from main on. For glibc. */
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t align, size_t size);

static int is_forbidden;

__attribute__((constructor)) static void forbid(void) { is_forbidden = 1; }

static void check(void) {
    static const char message[] = "malloc was called\n";
    if (is_forbidden) {
        if (write(2, message, sizeof message - 1) < 0) {
        }
        abort();
    }
}

void *malloc(size_t size) {
    check();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    check();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    check();
    return __libc_realloc(memory, size);
}

int posix_memalign(void **memory, size_t align, size_t size) {
    check();
    *memory = __libc_memalign(align, size);
    return *memory == NULL;
}

void *aligned_alloc(size_t align, size_t size) {
    check();
    return __libc_memalign(align, size);
}
