/* An endless loop. */
#include "../../user/test/spin.h"

int main(void)
{
    for (;;) {
        spin_turn();
    }
}
