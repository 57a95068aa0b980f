"""One measurement in one process: python3 workloads.py PATTERN asyncio|uvloop N SECONDS [PORT]. The same as Workloads.java, in asyncio."""
import asyncio
import os
import statistics
import sys
import time

SLEEP, CALL, LIMIT = 0.010, 0.001, 10
BOUND, CONNECTIONS, MOST = 1_000, 50, 100_000
WINDOWS, AGREE, WINDOW = 3, 1.15, 0.3  # as in Steady.java; fewer, for nothing is compiled meanwhile
BODY = "x" * 100


async def one():
    return 1


async def spawn(n):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(n)]
    return sum(task.result() for task in tasks)


async def sleeping():
    await asyncio.sleep(SLEEP)
    return 1


async def gather(n):
    return sum(await asyncio.gather(*[sleeping() for _ in range(n)]))


async def parked(n):
    arrived = 0
    go = asyncio.Event()

    async def wait():
        nonlocal arrived
        arrived += 1
        if arrived == n:
            go.set()
        await go.wait()
        return 1

    return sum(await asyncio.gather(*[wait() for _ in range(n)]))


async def bounded(n):
    permits = asyncio.Semaphore(BOUND)

    async def call():
        async with permits:
            await asyncio.sleep(CALL)
            return 1

    return sum(await asyncio.gather(*[call() for _ in range(n)]))


async def queue(n):
    handled = 0
    items = asyncio.Queue(100)

    async def consume():
        nonlocal handled
        while item := await items.get():
            handled += item

    async def produce():
        for _ in range(n):
            await items.put(1)
        for _ in range(4):
            await items.put(0)  # the end, once for each consumer

    await asyncio.gather(*[consume() for _ in range(4)], produce())
    return handled


async def lock(n):
    total = count = 0
    guard = asyncio.Lock()

    async def update():
        nonlocal total, count
        for _ in range(n // 100):
            async with guard:
                total += 1
                count += 1

    await asyncio.gather(*[update() for _ in range(100)])
    return count


async def timeout(n):
    async def calls():
        done = 0
        for _ in range(n // 100):
            async with asyncio.timeout(LIMIT):
                await asyncio.sleep(0)
                done += 1
        return done

    return sum(await asyncio.gather(*[calls() for _ in range(100)]))


async def measure(workload, n, limit):
    """As Steady.measure in Java: first run, mean of the first second, steady (0: not), seconds until then, CPU of a run."""
    async def timed(size):
        start = time.perf_counter()
        result = await workload(size)
        assert result == size, f"{result} instead of {size}"
        return (time.perf_counter() - start) * 1e9

    size = n if n <= MOST else 10_000
    begun = time.perf_counter()
    early = [await timed(size)]
    windows = []
    while True:
        start, cpu, runs = time.perf_counter(), time.process_time_ns(), []
        while not runs or time.perf_counter() - start < WINDOW:
            in_first_second = time.perf_counter() - begun < 1
            runs.append(await timed(size))
            if in_first_second:
                early.append(runs[-1])
        windows.append((start, cpu, len(runs), statistics.median(runs)))
        last = windows[-WINDOWS:]
        medians = sorted(window[3] for window in last)
        agree = len(last) == WINDOWS and medians[-1] <= AGREE * medians[0]
        if agree or time.perf_counter() - begun > limit:
            break
    if n > MOST:
        return 0, 0, await timed(n), last[0][0] - begun, 0
    second = statistics.mean(early)
    if not agree:
        return early[0], second, 0, time.perf_counter() - begun, 0
    spent = (time.process_time_ns() - last[0][1]) / sum(window[2] for window in last)
    return early[0], second, statistics.median(medians), last[0][0] - begun, spent


async def http_client(n, limit, port):
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
        async def get():
            async with session.get(f"http://127.0.0.1:{port}/") as response:
                return len(await response.text()) == len(BODY)

        async def workload(size):
            return sum(await asyncio.gather(*[get() for _ in range(size)]))

        return await measure(workload, n, limit)


async def http_server(n, limit):
    from aiohttp import web

    async def hello(request):
        return web.Response(text=BODY)

    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    command = os.environ["BENCH_LOAD"].split("\t") + ["get", str(port), str(CONNECTIONS), str(n), str(limit)]
    load = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    figures = (await load.stdout.readline()).split()
    await load.wait()
    await runner.cleanup()
    return 0, 0, float(figures[2]), float(figures[3]), 0


def peak_kilobytes():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except OSError:
        return 0


def main():
    pattern, loop, n, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    if loop == "uvloop":
        import uvloop
        uvloop.install()
    if pattern == "http-client":
        run = http_client(n, limit, int(sys.argv[5]))
    elif pattern == "http-server":
        run = http_server(n, limit)
    else:
        run = measure(globals()[pattern], n, limit)
    print(*asyncio.run(run), peak_kilobytes(), sep="\t")


if __name__ == "__main__":
    main()
