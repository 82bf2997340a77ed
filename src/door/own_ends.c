#include "door/own_ends.h"

void own_ends_tell(struct own_ends *ends, struct own_connections *own, const struct peer *peer)
{
    bool known = peer->here.address.version != 0 && peer->endpoint.address.version != 0;
    *ends = (struct own_ends){0};
    if (own != NULL && known && own_connections_add(own, &peer->here, &peer->endpoint))
        *ends = (struct own_ends){peer->here, peer->endpoint};
}

void own_ends_forget(struct own_ends *ends, struct own_connections *own)
{
    if (ends->here.address.version != 0)
        own_connections_remove(own, &ends->here, &ends->there);
    *ends = (struct own_ends){0};
}
