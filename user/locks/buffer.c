/* A bounded buffer, of two semaphores and a ticket lock. See locks.h. */
#include "locks.h"

void buffer_put(struct buffer *buffer, long item)
{
//@lab 8 buffer-put begin
    semaphore_down(&buffer->room);
    ticket_take(&buffer->lock);
    buffer->item[buffer->in] = item;
    buffer->in = (buffer->in + 1) % buffer->size;
    ticket_give(&buffer->lock);
    semaphore_up(&buffer->items);
//@lab 8 buffer-put stub
//|     buffer->item[buffer->in] = item; /* lab 8, step 4: there is always room, and nobody else */
//|     buffer->in = (buffer->in + 1) % buffer->size;
//@lab 8 buffer-put end
}

long buffer_take(struct buffer *buffer)
{
    long item;

//@lab 8 buffer-take begin
    semaphore_down(&buffer->items);
    ticket_take(&buffer->lock);
    item = buffer->item[buffer->out];
    buffer->out = (buffer->out + 1) % buffer->size;
    ticket_give(&buffer->lock);
    semaphore_up(&buffer->room);
//@lab 8 buffer-take stub
//|     item = buffer->item[buffer->out]; /* lab 8, step 4 */
//|     buffer->out = (buffer->out + 1) % buffer->size;
//@lab 8 buffer-take end
    return item;
}
