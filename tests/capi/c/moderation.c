/* Text held back from C: what comes out, when, and what misuse comes to. */
#include <deltawire.h>

#include <string.h>

#include "require.h"

static dw_delta text(uint32_t kind, const char *text) {
    dw_delta delta;
    memset(&delta, 0, sizeof delta);
    delta.kind = kind;
    delta.text.ptr = (const uint8_t *)text;
    delta.text.len = strlen(text);
    return delta;
}

/* Whether the next piece is that one; NULL stands for none. */
static int next_is(dw_moderator *moderator, const char *text) {
    dw_delta piece;
    dw_status status = dw_moderator_next(moderator, &piece);
    if (text == NULL || status != DW_DELTA)
        return text == NULL && status == DW_OK;
    return piece.kind == DW_DELTA_TEXT && piece.text.len == strlen(text) &&
           memcmp(piece.text.ptr, text, piece.text.len) == 0;
}

static void misuse(void) {
    dw_moderator_options options = DW_MODERATOR_OPTIONS_INIT;
    dw_moderator *moderator = NULL;
    dw_delta delta = text(DW_DELTA_TEXT, "a\xFF");
    REQUIRE(dw_moderator_new(NULL, NULL) == DW_ERR_ARGUMENT);
    options.unit = 3;
    REQUIRE(dw_moderator_new(&options, &moderator) == DW_ERR_ARGUMENT && moderator == NULL);
    options.unit = 0;
    options.struct_size = 3;
    REQUIRE(dw_moderator_new(&options, &moderator) == DW_ERR_ARGUMENT && moderator == NULL);
    REQUIRE(dw_moderator_push(NULL, &delta) == DW_ERR_ARGUMENT);
    REQUIRE(dw_moderator_next(NULL, &delta) == DW_ERR_ARGUMENT);
    REQUIRE(dw_moderator_finish(NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_moderator_stop(NULL) == DW_ERR_ARGUMENT);
    dw_moderator_free(NULL);

    REQUIRE(dw_moderator_new(NULL, &moderator) == DW_OK);
    REQUIRE(dw_moderator_push(moderator, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_moderator_next(moderator, NULL) == DW_ERR_ARGUMENT);
    /* Text that is not UTF-8, and a kind that is none. */
    REQUIRE(dw_moderator_push(moderator, &delta) == DW_ERR_ARGUMENT);
    delta = text(99, "a");
    REQUIRE(dw_moderator_push(moderator, &delta) == DW_ERR_ARGUMENT);
    REQUIRE(next_is(moderator, NULL));
    dw_moderator_free(moderator);
}

static void sentences(void) {
    dw_moderator *moderator = NULL;
    REQUIRE(dw_moderator_new(NULL, &moderator) == DW_OK);
    dw_delta delta = text(DW_DELTA_TEXT, "One. Tw");
    REQUIRE(dw_moderator_push(moderator, &delta) == DW_OK);
    REQUIRE(next_is(moderator, "One. ") && next_is(moderator, NULL));
    delta = text(DW_DELTA_TEXT, "o");
    REQUIRE(dw_moderator_push(moderator, &delta) == DW_OK && next_is(moderator, NULL));
    /* What ends the text is the caller's, behind what it made whole. */
    delta = text(DW_DELTA_FINISH, "");
    delta.finish_reason = DW_FINISH_STOP;
    REQUIRE(dw_moderator_push(moderator, &delta) == DW_DELTA);
    REQUIRE(next_is(moderator, "Two") && next_is(moderator, NULL));
    delta = text(DW_DELTA_TEXT, "Three");
    REQUIRE(dw_moderator_push(moderator, &delta) == DW_OK && next_is(moderator, NULL));
    REQUIRE(dw_moderator_finish(moderator) == DW_OK);
    REQUIRE(next_is(moderator, "Three") && next_is(moderator, NULL));
    dw_moderator_free(moderator);
}

static void characters_and_stopping(void) {
    dw_moderator_options options = DW_MODERATOR_OPTIONS_INIT;
    options.unit = DW_UNIT_CHARACTERS;
    options.characters = 2;
    dw_moderator *moderator = NULL;
    REQUIRE(dw_moderator_new(&options, &moderator) == DW_OK);
    dw_delta delta = text(DW_DELTA_TEXT, "e\xCC\x81" "bcde");
    REQUIRE(dw_moderator_push(moderator, &delta) == DW_OK);
    REQUIRE(next_is(moderator, "e\xCC\x81" "b") && next_is(moderator, "cd"));
    REQUIRE(dw_moderator_stop(moderator) == DW_OK);
    REQUIRE(dw_moderator_push(moderator, &delta) == DW_OK);
    REQUIRE(dw_moderator_finish(moderator) == DW_OK && next_is(moderator, NULL));
    dw_moderator_free(moderator);
}

int main(void) {
    misuse();
    sentences();
    characters_and_stopping();
    printf("%u checks\n", checks);
    return 0;
}
