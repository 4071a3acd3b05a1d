# SPDX-License-Identifier: MIT
# needs: java javac
# limit: 120
row() {
    cat >Main.java <<'JAVA'
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

public class Main {
    static int depth(int n) { return n == 0 ? 0 : 1 + depth(n - 1); }
    static int overflow(int n) { return 1 + overflow(n + 1); }

    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(16);
        List<Future<Integer>> parts = new ArrayList<>();
        for (int t = 0; t < 64; t++) {
            int n = t;
            parts.add(pool.submit(() -> {
                Map<String, byte[]> map = new HashMap<>();
                for (int i = 0; i < 3000; i++) map.put("key" + i % 500 + n, new byte[i]);
                return map.size() + depth(500);
            }));
        }
        int sum = 0;
        for (Future<Integer> part : parts) sum += part.get();
        pool.shutdown();
        System.out.println(sum);
        System.out.println(IntStream.range(0, 100000).parallel().mapToObj(Integer::toString)
            .mapToInt(String::length).sum());
        try { overflow(0); } catch (StackOverflowError e) { System.out.println("stack overflow caught"); }
        try { Object o = null; o.hashCode(); }
        catch (NullPointerException e) { System.out.println("null caught"); }
        try { long[][] all = new long[100][]; for (int i = 0; i < 100; i++) all[i] = new long[10_000_000]; }
        catch (OutOfMemoryError e) { System.out.println("out of memory caught"); }
        Process child = new ProcessBuilder("echo", "child").redirectErrorStream(true).start();
        System.out.println(new String(child.getInputStream().readAllBytes()) + child.waitFor());
        java.nio.ByteBuffer direct = java.nio.ByteBuffer.allocateDirect(1 << 20);
        System.out.println(direct.capacity());
        java.util.zip.Deflater deflater = new java.util.zip.Deflater();
        deflater.setInput(new byte[1 << 20]); deflater.finish();
        System.out.println(deflater.deflate(new byte[1 << 20])); deflater.end();
        System.gc();
    }
}
JAVA
    javac Main.java && java -Xmx256m Main && java -Xmx256m -Xint -XX:+UseSerialGC Main
}
