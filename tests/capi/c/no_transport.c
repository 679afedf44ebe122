/* Linked with a library that was built without the transport. */
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
    return 0;
}
