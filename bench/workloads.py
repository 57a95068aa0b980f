"""One measurement in one process: python3 workloads.py PATTERN asyncio|uvloop N [PORT]. The same as Workloads.java, in asyncio."""
import asyncio
import os
import sys
import time

SLEEP, CALL, LIMIT = 0.010, 0.001, 10
BOUND, CONNECTIONS = 1_000, 50
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


async def measure(workload, n):
    async def verified(size):
        result = await workload(size)
        assert result == size, f"{result} instead of {size}"

    warm, end = time.process_time() + 0.3, time.perf_counter() + 2
    while time.process_time() < warm and time.perf_counter() < end:
        await verified(min(n, 20_000))
    runs = []
    end = time.perf_counter() + 0.5
    while True:
        cpu, start = time.process_time_ns(), time.perf_counter_ns()
        await verified(n)
        runs.append((time.perf_counter_ns() - start, time.process_time_ns() - cpu))
        if time.perf_counter() >= end:
            runs.sort()
            return runs[len(runs) // 2]


async def http_client(n, port):
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
        async def get():
            async with session.get(f"http://127.0.0.1:{port}/") as response:
                return len(await response.text()) == len(BODY)

        async def workload(size):
            return sum(await asyncio.gather(*[get() for _ in range(size)]))

        return await measure(workload, n)


async def http_server(n):
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
    command = os.environ["BENCH_LOAD"].split("\t") + ["get", str(port), str(CONNECTIONS), str(n)]
    load = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    await load.stdout.readline()  # warm-up is over
    cpu = time.process_time_ns()
    wall = int(await load.stdout.readline())
    cpu = time.process_time_ns() - cpu
    await load.wait()
    await runner.cleanup()
    return wall, cpu


def peak_kilobytes():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except OSError:
        return 0


def main():
    pattern, loop, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if loop == "uvloop":
        import uvloop
        uvloop.install()
    if pattern == "http-client":
        run = http_client(n, int(sys.argv[4]))
    elif pattern == "http-server":
        run = http_server(n)
    else:
        run = measure(globals()[pattern], n)
    wall, cpu = asyncio.run(run)
    print(wall, cpu, peak_kilobytes(), sep="\t")


if __name__ == "__main__":
    main()
