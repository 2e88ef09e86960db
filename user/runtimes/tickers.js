// Five timers tick while somebody computes, reads plainly, or asks to be told when there is data.
const fs = require('fs');
let ticks = 0, sum = 0;

for (let i = 0; i < 5; i++) {
    setInterval(() => ticks++, 50);
}
setTimeout(() => {
    const before = ticks, start = Date.now();
    const answered = () => {
        console.log(ticks - before, Date.now() - start);
        process.exit();
    };

    switch (process.argv[2]) {
    case 'computing':
        while (Date.now() < start + 300) {
            for (let i = 0; i < 1e5; i++) {
                sum += i;
            }
        }
        return answered();
    case 'blocking':
        fs.readSync(0, Buffer.alloc(100));
        return answered();
    default:
        process.stdin.once('data', answered);
    }
}, 200);
