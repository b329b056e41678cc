"""Charts by gnuplot: each as SVG and as PNG."""
import subprocess

BETTER, WORSE, QUIET = "#2a6f97", "#c8423b", "#666666"
ROW_PIXELS = 17


def text(string):
    """As gnuplot has strings, without markup."""
    return '"' + string.replace("\\", "\\\\").replace('"', '\\"') + '"'


def plot(script, path, width, height):
    for kind, font in (("svg", "DejaVu Sans,12"), ("pngcairo", "DejaVu Sans,9")):
        ending = "png" if kind == "pngcairo" else kind
        head = (f'set terminal {kind} size {width},{height} font "{font}" noenhanced background "white"\n'
                f"set output {text(str(path.with_suffix('.' + ending)))}\n")
        subprocess.run(["gnuplot"], input=head + script, text=True, check=True)


def bar(name, ratio, y):
    """From the line at 1 to the ratio, the name at its left and the figure at its end."""
    colour = BETTER if ratio >= 1 else WORSE
    end = f"{ratio * 1.06}, {y} left" if ratio >= 1 else f"{ratio / 1.06}, {y} right"
    return [f"set object rectangle from {min(1, ratio)},{y - 0.38} to {max(1, ratio)},{y + 0.38} fc rgb '{colour}' fs solid noborder",
            f"set label {text(format_ratio(ratio))} at {end} tc rgb '{colour}'",
            f"set label {text(name)} at graph 0, first {y} right offset -1,0"]


def heading(group, y):
    return [f"set label {text(group)} at graph 0, first {y - 0.9} right offset -1,0 tc rgb '{QUIET}'",
            f"set arrow from graph 0, first {y - 0.5} to graph 1, first {y - 0.5} nohead lc rgb '#dddddd'"]


def bars(rows, path, title, below):
    """rows: (group, name, ratio) in order; a bar for each on a logarithmic scale, in another colour below 1."""
    script, y, group = [], 0.0, None
    low, high = min(0.5, min(ratio for _, _, ratio in rows) / 1.8), max(ratio for _, _, ratio in rows) * 2.2
    for of_group, name, ratio in rows:
        if of_group != group:
            group, y = of_group, y + 1.6
            script += heading(group, y)
        script += bar(name, ratio, y)
        y += 1
    plot("\n".join([
        f"set title {text(title)}", f"set xlabel {text(below)}", "set logscale x", f"set xrange [{low}:{high}]",
        f"set yrange [{y}:-0.2]", "unset ytics", "unset key", "set lmargin 44", "set rmargin 3", "set border 1 lc rgb '#888888'",
        "set xtics nomirror (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)", "set grid xtics lc rgb '#eeeeee' lt 1",
        f"set arrow from 1, {y} to 1, -0.2 nohead lw 2 lc rgb 'black' front", *script, "plot NaN"]),
        path, 1000, int((y + 1) * ROW_PIXELS + 110))


def format_ratio(ratio):
    return f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 2 else f"{ratio:.2f}"


COLOURS = ("#2a6f97", "#c8423b", "#2e8b57", "#e08e0b", "#7b4fa3", "#444444", "#17a2b8", "#d36ba6", "#8c6d31", "#1f3b73", "#6aa84f", "#999999")


def curve_plot(title, curves, number):
    """Both axes are logarithmic: what is level does not grow, what rises with the diagonal grows with the size."""
    lines = [f"set title {text(title)}", "set key outside right top Left reverse samplen 1.5 spacing 1.1"]
    plots = []
    for index, (name, points) in enumerate(curves.items()):
        block = f"$data{number}_{index}"
        lines.append(f"{block} << END\n" + "\n".join(f"{size} {max(value, 0.01)}" for size, value in points.items()) + "\nEND")
        colour = COLOURS[index % len(COLOURS)]
        plots.append(f"{block} using 1:2 with linespoints lw 2 pt {7 if index < 6 else 5} ps 0.7 lc rgb '{colour}' title {text(name)}")
    return "\n".join([*lines, "plot " + ", ".join(plots)])


def curves(charts, path):
    """charts: {title: {name: {size: value}}}; one below the other."""
    head = ["set logscale xy", "set format x '%.0f'", "set format y '%g'", "set grid xtics ytics lc rgb '#e4e4e4' lt 1",
            "set border 3 lc rgb '#888888'", "set xtics nomirror (10, 100, '1,000' 1000, '10,000' 10000, '100,000' 100000, '1,000,000' 1000000)",
            "set ytics nomirror", "set offsets graph 0.02, graph 0.02, 0, 0", f"set multiplot layout {(len(charts) + 1) // 2},2"]
    body = [curve_plot(title, data, number) for number, (title, data) in enumerate(charts.items())]
    plot("\n".join([*head, *body, "unset multiplot"]), path, 1500, 430 * ((len(charts) + 1) // 2))
