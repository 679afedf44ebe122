/* Linked with a library that was built without the transport and without moderation. */
#include <deltawire.h>

int main(void) {
    dw_client *client = NULL;
    char why[16] = "";
    if (dw_client_new(NULL, &client, why, sizeof why) != DW_ERR_UNSUPPORTED || client != NULL)
        return 1;
    if (why[0] == '\0' || why[sizeof why - 1] != '\0')
        return 2;
    dw_client_free(client);
    dw_stream_cancel(NULL);
    dw_stream_free(NULL);
    dw_moderator *moderator = NULL;
    if (dw_moderator_new(NULL, &moderator) != DW_ERR_UNSUPPORTED || moderator != NULL)
        return 3;
    dw_moderator_free(moderator);
    return 0;
}
