"""crawl_aiohttp.py PORT PAGES LIMIT ROUNDS: prints the requests per second of each round."""
import asyncio
import sys
import time

import aiohttp
import uvloop


async def main(port, pages, limit, rounds):
    rates = []
    connector = aiohttp.TCPConnector(limit=limit)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        permits = asyncio.Semaphore(limit)

        async def fetch(page):
            async with permits, session.get(f"http://127.0.0.1:{port}/page/{page}") as response:
                body = await response.read()
                assert response.status == 200 and len(body) == 1000
                return body

        for _ in range(rounds):
            start = time.perf_counter()
            await asyncio.gather(*(fetch(page) for page in range(pages)))
            rates.append(int(pages / (time.perf_counter() - start)))
    print(rates, "best", max(rates))


uvloop.install()
asyncio.run(main(*map(int, sys.argv[1:5])))
